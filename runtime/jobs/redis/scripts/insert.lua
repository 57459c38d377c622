-- Makes jobs, all of them: nothing else is done in between. ARGV: the seconds for which is known which job an id was merged
-- into, and for each job ten. Gives id, state and whether the key was taken, for each.
local made, from, micros = {}, now()
for i = 2, #ARGV, 10 do
  local queue, name, id, message, due, kind, most, key, till, cause = unpack(ARGV, i, i + 9)
  local p = prefix(queue)
  local task, same = p .. "t:" .. id, "fraiseql:jobs:same:" .. id
  local there = state(task)
  local has, is, member
  if key ~= "" and not there then
    member = redis.call("GET", same)
    if member then
      has = string.match(member, "^(%S+) ")
      is = state(prefix(string.match(member, " (.+)$")) .. "t:" .. has) or "completed"
    else
      has, is, member = holder(key)
    end
  end
  if there then -- it was sent before
    table.insert(made, {id, there, ""})
  elseif has then
    redis.call("SET", same, member, "EX", ARGV[1])
    table.insert(made, {has, is, "1"})
  else
    local s = "pending"
    redis.call("HSET", task, "msg", message, "kind", kind, "max", most, "attempt", 0, "created", micros)
    if cause ~= "" then redis.call("HSET", task, "cause", cause) end
    if due ~= "" and tonumber(due) > from then
      s = "scheduled"
      redis.call("ZADD", p .. "scheduled", due, id)
      redis.call("HSET", task, "state", s)
    else
      redis.call("LPUSH", p .. "pending", id)
      redis.call("HSET", task, "state", s, "pending_since", micros .. "000")
    end
    if key ~= "" then
      redis.call("SET", key, id .. " " .. queue)
      redis.call("HSET", task, "unique", key, "until", till)
    end
    redis.call("ZADD", "fraiseql:jobs", 0, id .. " " .. queue)
    redis.call("SADD", "asynq:queues", queue)
    redis.call("SADD", "fraiseql:jobs:queues", name)
    table.insert(made, {id, s == "pending" and "available" or s, ""})
  end
end
return made
