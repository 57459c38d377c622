-- What several scripts need. It stands before each of them.
-- A job is asynq's task: a hash asynq:{QUEUE:PRIORITY}:t:ID, whose id stands in the list or sorted set of its state. Fields that
-- asynq does not know: see the package's doc.go.
local function prefix(queue) return "asynq:{" .. queue .. "}:" end

local function now()
  local t = redis.call("TIME")
  local micros = t[1] .. string.format("%06d", tonumber(t[2]))
  return tonumber(t[1]) + tonumber(t[2]) / 1000000, micros
end

local function score(seconds) return string.format("%.6f", seconds) end

-- state is how package jobs calls the state of a task; nil when there is none.
local function state(key)
  local h = redis.call("HMGET", key, "state", "snoozed", "cancelled")
  if not h[1] then return nil end
  if h[1] == "pending" then return "available" end
  if h[1] == "active" then return "running" end
  if h[1] == "retry" then return h[2] and "scheduled" or "retryable" end
  if h[1] == "archived" then return "dead" end
  if h[1] == "completed" then return h[3] and "cancelled" or "completed" end
  return h[1]
end

local function over(s) return s == "completed" or s == "cancelled" or s == "dead" end

-- holder gives the id and the state of the job that has a unique key, when it is taken. What is taken follows from the job
-- alone, so nothing that dies in between leaves a key behind that is taken for good.
local function holder(key)
  local member = redis.call("GET", key)
  if not member then return nil end
  local id, queue = string.match(member, "^(%S+) (.+)$")
  local task = prefix(queue) .. "t:" .. id
  local s = state(task)
  if not s or over(s) and redis.call("HGET", task, "until") ~= "forgotten" then return nil end
  return id, s, member
end

-- leave takes a task out of where it waits or lies.
local function leave(p, id)
  local s = redis.call("HGET", p .. "t:" .. id, "state")
  if s == "pending" then
    redis.call("LREM", p .. "pending", 1, id)
  else
    redis.call("ZREM", p .. s, id)
  end
end

-- forget removes a task that nothing refers to any more.
local function forget(queue, id)
  local task = prefix(queue) .. "t:" .. id
  local key = redis.call("HGET", task, "unique")
  if key and redis.call("GET", key) == id .. " " .. queue then redis.call("DEL", key) end
  redis.call("DEL", task)
  redis.call("ZREM", "fraiseql:jobs", id .. " " .. queue)
end
