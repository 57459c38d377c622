-- Removes jobs that were over long ago, as asynq's own script does for those that are completed. ARGV: queue with priority, seconds
-- for which dead jobs are kept, how many at most. Gives how many.
local p, at = prefix(ARGV[1]), now()
local count = 0
for set, till in pairs({completed = at, archived = at - tonumber(ARGV[2])}) do
  local ids = redis.call("ZRANGEBYSCORE", p .. set, "-inf", score(till), "LIMIT", 0, ARGV[3])
  for _, id in ipairs(ids) do
    redis.call("ZREM", p .. set, id)
    forget(ARGV[1], id)
  end
  count = count + #ids
end
return count
