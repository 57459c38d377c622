-- Stands before those of asynq's scripts that end a try. Behind their arguments stand: fields and values to be kept with the
-- task, its key, the token of the try, the seconds to wait ("" where it does not wait), and how many fields and values there are.
-- What is not the server's any more is left alone.
do
  local n = #ARGV
  local task, wait = ARGV[n - 3], ARGV[n - 1]
  local h = redis.call("HMGET", task, "token", "state")
  if h[1] ~= ARGV[n - 2] or h[2] ~= "active" then return redis.status_reply("OK") end
  local t = redis.call("TIME")
  local name, value = "finished", t[1] .. string.format("%06d", t[2])
  if wait ~= "" then
    ARGV[3] = string.format("%.6f", t[1] + t[2] / 1000000 + wait)
    name, value = "due", ARGV[3]
  end
  redis.call("HSET", task, name, value, unpack(ARGV, n - 3 - ARGV[n], n - 4))
end
