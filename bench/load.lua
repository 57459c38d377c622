-- Script for wrk: sends the lines of the file BODIES in turn for LOAD_SECONDS, lets the requests at work end, and prints a
-- line of JSON last. Were wrk to hang up on requests at work, as it does of itself, servers would cancel their
-- statements, some with the connection to the database, and whatever is measured next would begin with new backends,
-- which are many times slower than old ones for seconds. HANGUP=1 measures just that.
local ffi = require("ffi")
ffi.cdef([[
  struct bench_time { long s, us; };
  int gettimeofday(struct bench_time *, void *);
  int getpid(void);
  int kill(int, int);
]])
local clock = ffi.new("struct bench_time")
local function now()
  ffi.C.gettimeofday(clock, nil)
  return tonumber(clock.s) + tonumber(clock.us) / 1e6
end

local requests, sent = {}, 0
local connections, stop
local thread
begin, finish = nil, nil -- global, as done() runs in another state and asks for them

function setup(t)
  thread = t
end

function init()
  connections = tonumber(os.getenv("CONNECTIONS"))
  local headers = { ["Content-Type"] = "application/json", ["Accept"] = "application/json" }
  local authorization = os.getenv("AUTHORIZATION")
  if authorization and authorization ~= "" then
    headers["Authorization"] = authorization
  end
  for body in io.lines(os.getenv("BODIES")) do
    requests[#requests + 1] = wrk.format("POST", nil, headers, body)
  end
end

-- Milliseconds until the next request of a connection that has been made or has got its answer.
function delay()
  finish = now()
  if not begin then
    begin = finish
    stop = os.getenv("HANGUP") == "1" and math.huge or begin + os.getenv("LOAD_SECONDS")
  end
  if finish < stop then
    return 0
  end
  connections = connections - 1
  if connections == 0 then
    ffi.C.kill(ffi.C.getpid(), 2) -- an interrupt makes wrk end before its time, with its results
  end
  return 60000
end

function request()
  sent = sent % #requests + 1
  return requests[sent]
end

function done(summary, latency)
  local e = summary.errors
  print(string.format('{"rps":%.1f,"p50_ms":%.2f,"p99_ms":%.2f,"requests":%d,"bytes":%d,"errors":%d}',
    summary.requests / (thread:get("finish") - thread:get("begin")),
    latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    summary.requests, summary.bytes / math.max(summary.requests, 1),
    e.connect + e.read + e.write + e.status + e.timeout))
end
