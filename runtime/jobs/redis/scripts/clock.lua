-- Stands before asynq's script that forwards what is due: Redis's clock decides.
do
  local t = redis.call("TIME")
  ARGV[1] = t[1] .. "." .. string.format("%06d", tonumber(t[2]))
  ARGV[3] = t[1] .. string.format("%06d", tonumber(t[2])) .. "000"
end
