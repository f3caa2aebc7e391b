-- Arguments behind `--`: path before the key, number of keys, pipelined requests, "walk" (keys in order) or "random", its seed.
-- Prints one line of JSON at the end; all times in microseconds.
local pre, post, keys, walk, prefix, batch

function init(args)
  prefix, keys, walk = args[1], tonumber(args[2]), args[4] == "walk"
  local pipelined = tonumber(args[3])
  if keys == 1 then
    local one = wrk.format("GET", prefix .. "0")
    batch = string.rep(one, pipelined)
    return
  end
  local whole = wrk.format("GET", "/@@")
  local at = whole:find("/@@", 1, true)
  pre, post = whole:sub(1, at - 1) .. prefix, whole:sub(at + 3)
  math.randomseed(tonumber(args[5]))
end

local next_key = 0
function request()
  if batch then return batch end
  local key
  if walk then
    key = next_key
    next_key = (next_key + 1) % keys
  else
    key = math.random(0, keys - 1)
  end
  return pre .. key .. post
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '{"requests":%d,"micros":%d,"bytes":%d,"failed":%d,"p50":%d,"p99":%d,"p999":%d,"max":%d}\n',
    summary.requests, summary.duration, summary.bytes, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9), latency.max))
end
