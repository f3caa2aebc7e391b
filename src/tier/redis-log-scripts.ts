/**
 * The scripts of the log in Redis.
 *
 * Floor 2, room tier. Each begins by finding out which log it is: the name in the hash holds only while the server that it was
 * given on still runs, and while the hash is there. Another run (restart with or without data, failover, a slot that moved)
 * gives it another name and drops the former records: what was lost meanwhile cannot be known, so nothing of it is trusted.
 */
import { defineScript } from './redis.ts'

/**
 * KEYS: hash, stream, members. ARGV: name for a new log, time to live of members, ms. Makes name, end, floor and age of the
 * log locals of the script. A list of members that was evicted is unsure for as long as they may live. A clock that was set, forward or back, must neither bury members that live nor keep dead ones.
 */
const PLACE = `
local function text(number) return string.format('%.0f', number) end
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
local ttl = tonumber(ARGV[2])
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or ''
local row = redis.call('HMGET', KEYS[1], 'generation', 'run', 'last', 'floor', 'begun', 'heard', 'scattered')
local generation = row[1]
local last = tonumber(row[3] or '0') or 0
local floor = tonumber(row[4] or '0') or 0
local begun = tonumber(row[5] or '0') or 0
local heard = tonumber(row[6] or '0') or 0
local scattered = tonumber(row[7] or '0') or 0
if not generation or row[2] ~= run then
  generation = ARGV[1]
  floor = last
  begun = now
  redis.call('UNLINK', KEYS[2])
  redis.call('HSET', KEYS[1], 'generation', generation, 'run', run, 'last', text(last), 'floor', text(floor), 'begun', text(begun))
  redis.call('HDEL', KEYS[1], 'scattered')
  scattered = 0
elseif now < heard or now > heard + ttl then
  begun = begun + now - heard
  if scattered > 0 then scattered = scattered + now - heard end
  redis.pcall('HSET', KEYS[1], 'begun', text(begun), 'scattered', text(scattered))
  for _, member in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
    if member ~= '' then redis.pcall('ZADD', KEYS[3], now + ttl, member) end
  end
elseif redis.call('EXISTS', KEYS[3]) == 0 then
  begun = now
  scattered = now
  redis.pcall('HSET', KEYS[1], 'begun', text(begun), 'scattered', text(scattered))
end
redis.pcall('HSET', KEYS[1], 'heard', text(now))
`

/** KEYS: hash, stream, members, inbox. ARGV: as PLACE, member, the inbox's time to live. Answers without memory left, too. */
export const PROVE = defineScript(`${PLACE}
redis.pcall('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
redis.pcall('ZADD', KEYS[3], now + ttl, ARGV[3])
redis.pcall('PEXPIRE', KEYS[4], ARGV[4])
local first = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)
local trimmed = last
if first[1] then trimmed = tonumber(string.sub(first[1][1], 3)) - 1 end
if trimmed > floor then floor = trimmed end
return { generation, text(floor), text(last), redis.call('ZRANGE', KEYS[3], 0, -1), text(scattered > 0 and scattered + ttl - now or 0) }
`)

/** KEYS: hash, stream, members. ARGV: as PLACE, name expected, member, records kept, texts. */
export const APPEND = defineScript(`${PLACE}
local members = redis.call('ZRANGEBYSCORE', KEYS[3], now, '+inf')
local age = text(now - begun)
if generation ~= ARGV[3] then return { generation, '0', members, age } end
for i = 6, #ARGV do
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], '0-' .. text(last + i - 5), 'g', generation, 'm', ARGV[4], 'd', ARGV[i])
end
redis.call('HSET', KEYS[1], 'last', text(last + #ARGV - 5))
return { generation, text(last + 1), members, age }
`)

/** KEYS: inboxes. ARGV: a word for each, their time to live. */
export const ACKNOWLEDGE = defineScript(`
for i, inbox in ipairs(KEYS) do
  redis.call('XADD', inbox, 'MAXLEN', '~', 1000, '*', 'w', ARGV[i])
  redis.call('PEXPIRE', inbox, ARGV[#KEYS + 1])
end
return #KEYS
`)

/** KEYS: members, inbox. ARGV: member. A list that is empty because the last one has left is not one that was evicted. */
export const LEAVE = defineScript(`
redis.call('ZREM', KEYS[1], ARGV[1])
if redis.call('EXISTS', KEYS[1]) == 0 then redis.pcall('ZADD', KEYS[1], 0, '') end
redis.call('UNLINK', KEYS[2])
return 1
`)
