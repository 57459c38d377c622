-- Gives what stands in each queue: name, since when it is paused, counts, and since when the oldest job waits.
local all = {}
for _, name in ipairs(redis.call("SMEMBERS", "fraiseql:jobs:queues")) do
  local paused, oldest = "", ""
  local counts = {0, 0, 0, 0, 0}
  for n = 1, 4 do
    local p = prefix(name .. ":" .. n)
    paused = redis.call("GET", p .. "paused") or paused
    local id = redis.call("LINDEX", p .. "pending", -1)
    local since = id and redis.call("HGET", p .. "t:" .. id, "pending_since")
    if since and (oldest == "" or since < oldest) then oldest = since end
    counts[1] = counts[1] + redis.call("LLEN", p .. "pending")
    counts[2] = counts[2] + redis.call("LLEN", p .. "active")
    counts[3] = counts[3] + redis.call("ZCARD", p .. "scheduled")
    counts[4] = counts[4] + redis.call("ZCARD", p .. "retry")
    counts[5] = counts[5] + redis.call("ZCARD", p .. "archived")
  end
  table.insert(all, {name, paused, oldest, unpack(counts)})
end
return all
