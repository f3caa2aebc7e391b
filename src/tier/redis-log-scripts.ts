/**
 * The scripts of the log in Redis.
 *
 * Floor 2, room tier. Each begins by finding out which log it is: the name in the hash holds only while the server that it was
 * given on still runs, and while the hash is there. Another run (restart with or without data, failover, a slot that moved)
 * gives it another name and drops the former records: what was lost meanwhile cannot be known, so nothing of it is trusted.
 */
import { defineScript } from './redis.ts'

/** KEYS: hash, stream. @returns name, end and floor of the log, as locals of the script */
const PLACE = `
local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)') or ''
local row = redis.call('HMGET', KEYS[1], 'generation', 'run', 'last', 'floor')
local generation = row[1]
local last = tonumber(row[3] or '0') or 0
local floor = tonumber(row[4] or '0') or 0
if not generation or row[2] ~= run then
  generation = ARGV[1]
  floor = last
  redis.call('UNLINK', KEYS[2])
  redis.call('HSET', KEYS[1], 'generation', generation, 'run', run, 'last', string.format('%.0f', last), 'floor', string.format('%.0f', floor))
end
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
`

/** ARGV: name for a new log, member, its time to live, the inbox's. Without memory left it can still be asked. */
export const PROVE = defineScript(`${PLACE}
redis.pcall('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
redis.pcall('ZADD', KEYS[3], now + tonumber(ARGV[3]), ARGV[2])
redis.pcall('PEXPIRE', KEYS[4], ARGV[4])
local first = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)
local trimmed = last
if first[1] then trimmed = tonumber(string.sub(first[1][1], 3)) - 1 end
if trimmed > floor then floor = trimmed end
return { generation, string.format('%.0f', floor), string.format('%.0f', last), redis.call('ZRANGE', KEYS[3], 0, -1) }
`)

/** ARGV: name for a new log, name expected, member, records kept, texts. */
export const APPEND = defineScript(`${PLACE}
local members = redis.call('ZRANGEBYSCORE', KEYS[3], now, '+inf')
if generation ~= ARGV[2] then return { generation, '0', members } end
for i = 5, #ARGV do
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], string.format('0-%.0f', last + i - 4), 'g', generation, 'm', ARGV[3], 'd', ARGV[i])
end
redis.call('HSET', KEYS[1], 'last', string.format('%.0f', last + #ARGV - 4))
return { generation, string.format('%.0f', last + 1), members }
`)

/** KEYS: inboxes. ARGV: a word for each, their time to live. */
export const ACKNOWLEDGE = defineScript(`
for i, inbox in ipairs(KEYS) do
  redis.call('XADD', inbox, 'MAXLEN', '~', 1000, '*', 'w', ARGV[i])
  redis.call('PEXPIRE', inbox, ARGV[#KEYS + 1])
end
return #KEYS
`)

/** KEYS: members, inbox. ARGV: member. */
export const LEAVE = defineScript(`
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('UNLINK', KEYS[2])
return 1
`)
