-- Takes the next jobs of a queue, as asynq's own script takes one, but looks at all priorities at once, at bounds over all
-- servers, and only at kinds that the server works. ARGV: queue, server, term in seconds, 1 for the last priority first, the
-- bound of jobs at work (0 is none), the rate in jobs a second (0 is none), how many at most, kinds. Gives for each: queue with
-- priority, id, token, servers, attempt, when it began, and the values of columns. It stands alone, as it runs so often.
local queue, server, most, rate, wanted = ARGV[1], ARGV[2], tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local call = redis.call
local t = call("TIME")
local micros = t[1] .. string.format("%06d", t[2])
local from = t[1] + t[2] / 1000000
local till = string.format("%.6f", from + ARGV[3])
local known = {}
for i = 8, #ARGV do known[ARGV[i]] = true end

if most > 0 then
  for n = 1, 4 do most = most - call("LLEN", "asynq:{" .. queue .. ":" .. n .. "}:active") end
  wanted = math.min(wanted, most)
end
local tokens
if rate > 0 then
  local burst = math.max(1, rate)
  local h = call("HMGET", "fraiseql:jobs:limit:" .. queue, "tokens", "at")
  tokens = h[1] and math.min(burst, h[1] + rate * math.max(0, from - h[2])) or burst
  wanted = math.min(wanted, math.floor(tokens))
end

local taken = {}
local function columns(task)
  return call("HMGET", task, "kind", "msg", "attempt", "takes", "servers", "max", "created", "due", "failures", "log", "cancel")
end

local function begin(p, id, h, from_queue)
  local task = p .. "t:" .. id
  local attempt, takes, servers = (h[3] or 0) + 1, (h[4] or 0) + 1, server
  if h[5] then -- ids have 36 characters; the last twenty are kept
    servers = string.gsub(string.sub(h[5], -37 * 19), "^ ", "") .. " " .. server
  end
  local token = server .. ":" .. takes
  call("HSET", task, "state", "active", "attempt", attempt, "takes", takes, "token", token, "who", server, "servers", servers, "started", micros)
  call("HDEL", task, "pending_since", "snoozed", "finished", "progress", "result")
  call("ZADD", p .. "lease", till, id)
  taken[#taken + 1] = {from_queue, id, token, servers, attempt, micros, h}
end

-- skip takes jobs from behind those of unknown kinds. When there are a thousand of these, they go to the end of the line, so that
-- the next look reaches further.
local function skip(p, from_queue)
  local some = call("LRANGE", p .. "pending", -1000, -1)
  local found = false
  for i = #some, 1, -1 do
    local task = p .. "t:" .. some[i]
    if known[call("HGET", task, "kind")] then
      found = true
      call("LREM", p .. "pending", -1, some[i])
      call("LPUSH", p .. "active", some[i])
      begin(p, some[i], columns(task), from_queue)
      if #taken >= wanted then return end
    end
  end
  if #some == 1000 and not found then
    for _ = 1, #some do call("RPOPLPUSH", p .. "pending", p .. "pending") end
  end
end

local first, last, step = 1, 4, 1
if ARGV[4] == "1" then first, last, step = 4, 1, -1 end
for n = first, last, step do
  if #taken >= wanted then break end
  local from_queue = queue .. ":" .. n
  local p = "asynq:{" .. from_queue .. "}:"
  local id = call("LINDEX", p .. "pending", -1)
  if id and call("EXISTS", p .. "paused") == 0 then
    while id and #taken < wanted do
      local h = columns(p .. "t:" .. id)
      if not known[h[1]] then
        skip(p, from_queue)
        break
      end
      call("RPOPLPUSH", p .. "pending", p .. "active")
      begin(p, id, h, from_queue)
      id = #taken < wanted and call("LINDEX", p .. "pending", -1)
    end
  end
end
if rate > 0 and #taken > 0 then
  call("HSET", "fraiseql:jobs:limit:" .. queue, "tokens", string.format("%.6f", tokens - #taken), "at", string.format("%.6f", from))
end
return taken
