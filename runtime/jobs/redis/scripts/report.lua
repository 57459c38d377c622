-- Keeps how far a try is. ARGV: queue with priority, id, token, the progress. Gives whether it is the server's still.
local task = prefix(ARGV[1]) .. "t:" .. ARGV[2]
local h = redis.call("HMGET", task, "token", "state")
if h[1] ~= ARGV[3] or h[2] ~= "active" then return 0 end
redis.call("HSET", task, "progress", ARGV[4])
return 1
