-- Keeps how far a try is. ARGV: queue with priority, id, token, the progress. Gives whether it is the server's still.
local task = prefix(ARGV[1]) .. "t:" .. ARGV[2]
if redis.call("HGET", task, "token") ~= ARGV[3] then return 0 end
redis.call("HSET", task, "progress", ARGV[4])
return 1
