-- Stands before those of asynq's scripts that end a try. Behind their arguments stand: fields and values to be kept with the
-- task, its key, the token of the try, the seconds to wait ("" where it does not wait), and how many fields and values there are.
-- What is not the server's any more is left alone.
do
  local n = #ARGV
  local task, token, wait, count = ARGV[n - 3], ARGV[n - 2], ARGV[n - 1], tonumber(ARGV[n])
  if redis.call("HGET", task, "token") ~= token then return redis.status_reply("OK") end
  redis.call("HDEL", task, "token", "who")
  if count > 0 then redis.call("HSET", task, unpack(ARGV, n - 3 - count, n - 4)) end
  local t = redis.call("TIME")
  if wait == "" then
    redis.call("HSET", task, "finished", t[1] .. string.format("%06d", tonumber(t[2])))
  else
    ARGV[3] = string.format("%.6f", tonumber(t[1]) + tonumber(t[2]) / 1000000 + tonumber(wait))
    redis.call("HSET", task, "due", ARGV[3])
  end
end
