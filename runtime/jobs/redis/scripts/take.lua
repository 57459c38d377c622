-- Takes the next job of a queue, as asynq's own script does, but looks at all priorities at once, at bounds over all servers,
-- and only at kinds that the server works. ARGV: queue, server, term in seconds, 1 for the last priority first, the bound of
-- jobs at work (0 is none), the rate in jobs a second (0 is none), kinds. Gives the task's message and its fields, or nothing.
local queue, server, term, most, rate = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[5]), tonumber(ARGV[6])
local from, micros = now()
local known = {}
for i = 7, #ARGV do known[ARGV[i]] = true end

if most > 0 then
  local active = 0
  for n = 1, 4 do active = active + redis.call("LLEN", prefix(queue .. ":" .. n) .. "active") end
  if active >= most then return false end
end
local tokens
if rate > 0 then
  local burst = math.max(1, rate)
  local h = redis.call("HMGET", "fraiseql:jobs:limit:" .. queue, "tokens", "at")
  tokens = h[1] and math.min(burst, tonumber(h[1]) + rate * math.max(0, from - tonumber(h[2]))) or burst
  if tokens < 1 then return false end
end

-- pick gives the oldest job that waits and is of a known kind. When there are a thousand of others before it, they go to the
-- end of the line, so that the next look reaches further.
local function pick(p)
  local id = redis.call("LINDEX", p .. "pending", -1)
  if not id then return nil end
  if known[redis.call("HGET", p .. "t:" .. id, "kind")] then
    return redis.call("RPOPLPUSH", p .. "pending", p .. "active")
  end
  local some = redis.call("LRANGE", p .. "pending", -1000, -1)
  for i = #some, 1, -1 do
    if known[redis.call("HGET", p .. "t:" .. some[i], "kind")] then
      redis.call("LREM", p .. "pending", -1, some[i])
      redis.call("LPUSH", p .. "active", some[i])
      return some[i]
    end
  end
  if #some == 1000 then
    for _ = 1, #some do redis.call("RPOPLPUSH", p .. "pending", p .. "pending") end
  end
  return nil
end

local first, last, step = 1, 4, 1
if ARGV[4] == "1" then first, last, step = 4, 1, -1 end
for n = first, last, step do
  local p = prefix(queue .. ":" .. n)
  local id = redis.call("EXISTS", p .. "paused") == 0 and pick(p)
  if id then
    local task = p .. "t:" .. id
    local h = redis.call("HMGET", task, "takes", "servers")
    local takes, servers = (tonumber(h[1]) or 0) + 1, server
    if h[2] then -- ids have 36 characters; the last twenty are kept
      servers = string.sub(h[2], -37 * 19) .. " " .. server
      servers = string.gsub(servers, "^ ", "")
    end
    local token = server .. ":" .. takes
    redis.call("HINCRBY", task, "attempt", 1)
    redis.call("HSET", task, "state", "active", "takes", takes, "token", token, "who", server, "servers", servers, "started", micros)
    redis.call("HDEL", task, "pending_since", "snoozed", "finished", "progress", "result")
    redis.call("ZADD", p .. "lease", score(from + term), id)
    if rate > 0 then
      redis.call("HSET", "fraiseql:jobs:limit:" .. queue, "tokens", score(tokens - 1), "at", score(from))
    end
    return {redis.call("HGET", task, "msg"), queue .. ":" .. n, id, redis.call("HGETALL", task)}
  end
end
return false
