-- Gives a job back that a server has not finished, first in its line and without counting the try. ARGV: queue with priority,
-- id, token, fields and values to be kept.
local p = prefix(ARGV[1])
local id, task = ARGV[2], p .. "t:" .. ARGV[2]
local h = redis.call("HMGET", task, "token", "state")
if h[1] ~= ARGV[3] or h[2] ~= "active" then return 0 end
if #ARGV > 3 then redis.call("HSET", task, unpack(ARGV, 4)) end
local _, micros = now()
redis.call("LREM", p .. "active", 0, id)
redis.call("ZREM", p .. "lease", id)
redis.call("HINCRBY", task, "attempt", -1)
redis.call("RPUSH", p .. "pending", id)
redis.call("HSET", task, "state", "pending", "pending_since", micros .. "000")
return 1
