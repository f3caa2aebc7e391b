/**
 * The scripts of leases in Redis.
 *
 * Floor 2, room tier. A lease is one string with a time to live: `token stamp taken`, the store's time in ms; after its
 * release, for a short while, `- token outcome taken`. Beside it a set of members that wait and a stream of what the holder has got,
 * all in one slot. Each script that changes something compares the token first.
 */
import { defineScript } from './redis.ts'

/** Members that wait are forgotten after this, ms. */
const WAITING_MS = 120_000

/** KEYS: lease, waiting, frames. ARGV: prefix of bells, name of the lease. Makes `ring` and `token` locals of the script. */
const PLACE = `
local held = redis.call('GET', KEYS[1])
local token = held and string.match(held, '^(%S+) ')
local function ring(word)
  for _, member in ipairs(redis.call('SMEMBERS', KEYS[2])) do redis.call('PUBLISH', ARGV[1] .. member, word) end
end
local clock = redis.call('TIME')
local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
`

/** ARGV: as PLACE, token, stamp, lease ms, token to go over, own member. Answers taken, or token, stamp and ms left. */
export const ASK = defineScript(`${PLACE}
if token and token ~= '-' and token ~= ARGV[6] then
  if redis.call('SADD', KEYS[2], ARGV[7]) == 1 then
    redis.call('PUBLISH', ARGV[1] .. string.match(token, '^[^.]+'), 'w ' .. ARGV[2] .. ' ' .. token)
  end
  redis.call('PEXPIRE', KEYS[2], ${WAITING_MS})
  return { 0, token, string.match(held, '^%S+ (%S+)') or '', redis.call('PTTL', KEYS[1]) }
end
redis.call('UNLINK', KEYS[3])
redis.call('SET', KEYS[1], ARGV[3] .. ' ' .. ARGV[4] .. ' ' .. string.format('%.0f', now), 'PX', ARGV[5])
ring('t ' .. ARGV[2] .. ' ' .. ARGV[3])
return { 1, token or '' }
`)

/** ARGV: as PLACE, token, lease ms. */
export const EXTEND = defineScript(`${PLACE}
if token ~= ARGV[3] then return { 0, 0 } end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return { 1, redis.call('SCARD', KEYS[2]) }
`)

/** ARGV: as PLACE, token, first number, ms to keep, frames at most, then kind and data of each. */
export const PUBLISH = defineScript(`${PLACE}
if token ~= ARGV[3] then return 0 end
local number = tonumber(ARGV[4])
for i = 7, #ARGV, 2 do
  redis.call('XADD', KEYS[3], 'MAXLEN', ARGV[6], '0-' .. string.format('%.0f', number), 't', token, 'k', ARGV[i], 'd', ARGV[i + 1])
  number = number + 1
end
redis.call('PEXPIRE', KEYS[3], ARGV[5])
ring('f ' .. ARGV[2] .. ' ' .. token)
return 1
`)

/** ARGV: as PLACE, token, outcome, ms that the release is remembered. */
export const RELEASE = defineScript(`${PLACE}
if token ~= ARGV[3] then return 0 end
redis.call('SET', KEYS[1], '- ' .. token .. ' ' .. ARGV[4] .. string.match(held, ' %d+$'), 'PX', ARGV[5])
ring('o ' .. ARGV[2] .. ' ' .. token .. ' ' .. ARGV[4])
redis.call('UNLINK', KEYS[2])
return 1
`)

/** ARGV: as PLACE, token, number behind which. Answers ms since the lease was taken (-1: that is not known any more) and the frames. */
export const READ = defineScript(`${PLACE}
local age = -1
local whose = token == '-' and string.match(held, '^%- (%S+)') or token
if whose == ARGV[3] then age = math.max(0, now - tonumber(string.match(held, '(%d+)$') or '0')) end
return { string.format('%.0f', age), redis.call('XRANGE', KEYS[3], '0-' .. string.format('%.0f', tonumber(ARGV[4]) + 1), '+', 'COUNT', 64) }
`)
