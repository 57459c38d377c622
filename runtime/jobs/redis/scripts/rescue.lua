-- Has jobs worked anew whose server was not heard of for a term, a hundred at most. ARGV: queue with priority, seconds for which
-- jobs are kept that are over. Gives how many.
local p = prefix(ARGV[1])
local at, micros = now()
local ids = redis.call("ZRANGEBYSCORE", p .. "lease", "-inf", score(at), "LIMIT", 0, 100)
for _, id in ipairs(ids) do
  local task = p .. "t:" .. id
  redis.call("LREM", p .. "active", 0, id)
  redis.call("ZREM", p .. "lease", id)
  local h = redis.call("HMGET", task, "attempt", "max", "who", "failures", "cancel", "started")
  if h[1] then
    redis.call("HSET", task, "failures", (h[4] or "") .. string.format('{"attempt":%s,"at":%s,"error":"the server that worked it (%s) is gone"}\n', h[1], h[6], h[3] or "unknown"))
    if h[5] then
      redis.call("ZADD", p .. "completed", score(at + tonumber(ARGV[2])), id)
      redis.call("HSET", task, "state", "completed", "cancelled", 1, "finished", micros)
    elseif tonumber(h[1]) >= tonumber(h[2]) then
      redis.call("ZADD", p .. "archived", score(at), id)
      redis.call("HSET", task, "state", "archived", "finished", micros)
    else
      redis.call("RPUSH", p .. "pending", id)
      redis.call("HSET", task, "state", "pending", "pending_since", micros .. "000")
    end
  end
end
return #ids
