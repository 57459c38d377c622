-- Says that a server lives which works jobs. ARGV: queue with priority, term in seconds, and ids with their tokens. Gives for
-- each 0 when it is not the server's any more, 2 when it is to be cancelled, 1 otherwise.
local p, till, said = prefix(ARGV[1]), score(now() + tonumber(ARGV[2])), {}
for i = 3, #ARGV, 2 do
  local h = redis.call("HMGET", p .. "t:" .. ARGV[i], "token", "cancel", "state")
  local n = 0
  if h[1] == ARGV[i + 1] and h[3] == "active" then
    n = h[2] and 2 or 1
    redis.call("ZADD", p .. "lease", "XX", till, ARGV[i])
  end
  table.insert(said, n)
end
return said
