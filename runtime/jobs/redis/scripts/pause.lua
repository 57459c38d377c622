-- Pauses a queue as asynq does, or resumes it. ARGV: queue, 1 to pause. Gives whether there is one.
if redis.call("SISMEMBER", "fraiseql:jobs:queues", ARGV[1]) == 0 then return 0 end
local at = now()
for n = 1, 4 do
  local key = prefix(ARGV[1] .. ":" .. n) .. "paused"
  if ARGV[2] == "1" then redis.call("SETNX", key, math.floor(at)) else redis.call("DEL", key) end
end
return 1
