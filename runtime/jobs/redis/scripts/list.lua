-- Gives jobs, the newest first, of those that it looks at. ARGV: where it went on to before ("" from the newest), how many, state,
-- kind, queue and cause ("" for all). Gives where the next look goes on ("" at the end), and ids with their queues.
local max, limit = ARGV[1] == "" and "+" or "(" .. ARGV[1], tonumber(ARGV[2])
local found, looked = {""}, 0
local wanted = ARGV[6] ~= "" and cjson.decode(ARGV[6])

-- caused tells whether a task's cause has all that is wanted.
local function caused(task)
  local cause = redis.call("HGET", task, "cause")
  if not cause then return false end
  cause = cjson.decode(cause)
  for name, value in pairs(wanted) do
    if cause[name] ~= value then return false end
  end
  return true
end

while true do
  local some = redis.call("ZREVRANGEBYLEX", "fraiseql:jobs", max, "-", "LIMIT", 0, 200)
  for _, member in ipairs(some) do
    local id, queue = string.match(member, "^(%S+) (.+)$")
    local task = prefix(queue) .. "t:" .. id
    if (ARGV[5] == "" or ARGV[5] == string.gsub(queue, ":%d$", ""))
      and (ARGV[4] == "" or ARGV[4] == redis.call("HGET", task, "kind"))
      and (ARGV[3] == "" or ARGV[3] == state(task))
      and (not wanted or caused(task)) then
      table.insert(found, member)
      if #found > limit then return found end
    end
    max = "(" .. member
  end
  looked = looked + #some
  if #some < 200 then return found end
  if looked >= 5000 then
    found[1] = string.sub(max, 2)
    return found
  end
end
