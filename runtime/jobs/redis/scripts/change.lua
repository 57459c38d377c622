-- Does what a person asks for with one job. ARGV: cancel, retry or delete; queue with priority; id; seconds for which jobs are
-- kept that are over. Gives "", or what is in the way: the state, or "taken" and who has the key.
local what, queue, id = ARGV[1], ARGV[2], ARGV[3]
local p = prefix(queue)
local task = p .. "t:" .. id
local s = state(task)
local at, micros = now()
if not s then return {"none"} end
if what == "cancel" then
  if over(s) then return {s} end
  if s == "running" then
    redis.call("HSET", task, "cancel", 1)
    redis.call("PUBLISH", "fraiseql:jobs:cancel", id)
  else
    leave(p, id)
    redis.call("HSET", task, "state", "completed", "cancelled", 1, "finished", micros)
    redis.call("HDEL", task, "pending_since", "snoozed")
    redis.call("ZADD", p .. "completed", score(at + tonumber(ARGV[4])), id)
  end
  return {""}
end
if s == "running" then return {s} end
if what == "delete" then
  leave(p, id)
  forget(queue, id)
  return {""}
end
if s == "available" then return {""} end
local key = redis.call("HGET", task, "unique")
if key then
  local other = holder(key)
  if other and other ~= id then return {"taken", other} end
  redis.call("SET", key, id .. " " .. queue)
end
leave(p, id)
local h = redis.call("HMGET", task, "attempt", "max")
if tonumber(h[1]) >= tonumber(h[2]) then redis.call("HSET", task, "max", h[1] + 1) end
redis.call("HDEL", task, "cancel", "cancelled", "snoozed", "finished")
redis.call("HSET", task, "state", "pending", "pending_since", micros .. "000", "due", score(at))
redis.call("LPUSH", p .. "pending", id)
return {""}
