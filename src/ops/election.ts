/**
 * One leader among the instances, with a term that only grows: what a former leader still wants to do is refused.
 *
 * Floor 4, room ops. The lease is taken, renewed and checked in single steps of the store; a term begins when the lease is
 * taken, never when it is renewed. A leader trusts its lease by its own steady clock from before it asked, less a tenth, and
 * asks the store once more before each action: `permit` records the action only for the term that leads now. A term is greater
 * than the last one, than every one that the candidate has seen, and than the store's clock says in ms: a store that was
 * emptied does not begin anew.
 */
import type { Clock, Timer } from '../model/clock.ts'
import type { RedisPort } from '../tier/redis-port.ts'
import type { RedisReply } from '../tier/redis-client.ts'
import { defineScript } from '../tier/redis.ts'
import type { RegistryKeys } from './registry-keys.ts'

/** What an election is made of. */
export interface ElectionParts {
  readonly redis: RedisPort
  readonly keys: RegistryKeys
  readonly clock: Clock
  /** This candidate. */
  readonly id: string
  /** A leader that is not heard for so long is followed by another, ms. */
  readonly leaseMs: number
}

/** What is known of the leadership. */
export interface Leadership {
  /** 0: none was seen yet. */
  readonly term: number
  /** Id of the leader; undefined: none is known. */
  readonly leader: string | undefined
  readonly isSelf: boolean
}

/** What the leaders did last, by the store's clock. */
export interface LastAction {
  readonly desired: number
  readonly direction: 'out' | 'in'
  readonly agoMs: number
}

/** What became of a request to act. */
export type Permit = 'granted' | 'refused'

/** Renewals in each lease. */
const RENEWALS = 3
const LOG_ITEMS = 200

/** KEYS: leader, term. ARGV: id, lease in ms, highest term seen. Answers term, id of the leader. */
const LEAD = defineScript(`
local standing = redis.call('GET', KEYS[1])
if standing then
  local leader, term = string.match(standing, '^(.*) (%d+)$')
  if leader == ARGV[1] then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
  return { term, leader }
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local last = tonumber(redis.call('GET', KEYS[2]) or '0') or 0
local text = string.format('%.0f', math.max(last + 1, tonumber(ARGV[3]) + 1, now))
redis.call('SET', KEYS[2], text)
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. text, 'PX', ARGV[2])
return { text, ARGV[1] }
`)

/** KEYS: leader. ARGV: id and term. */
const RESIGN = defineScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('UNLINK', KEYS[1])
`)

/** KEYS: leader, scaling, log. ARGV: id and term, desired, direction, record. */
const PERMIT = defineScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'refused' end
local time = redis.call('TIME')
local now = string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
redis.call('HSET', KEYS[2], 'at', now, 'desired', ARGV[2], 'direction', ARGV[3], 'by', ARGV[1])
redis.call('LPUSH', KEYS[3], ARGV[4])
redis.call('LTRIM', KEYS[3], 0, ${LOG_ITEMS - 1})
return 'granted'
`)

/** KEYS: scaling. Answers the ms since, desired, direction. */
const LAST = defineScript(`
local row = redis.call('HMGET', KEYS[1], 'at', 'desired', 'direction')
if not row[1] then return false end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
return { string.format('%.0f', math.max(0, now - tonumber(row[1]))), row[2], row[3] }
`)

/** See the module's header. */
export class Election {
  readonly #parts: ElectionParts
  #term = 0
  #leader: string | undefined
  #leadsUntil = Number.NEGATIVE_INFINITY
  #timer: Timer | undefined
  #isClosed = false

  constructor(parts: ElectionParts) {
    this.#parts = parts
  }

  /** What is known now; `isSelf` only while the lease is surely this instance's. */
  get leadership(): Leadership {
    const isSelf = this.#leader === this.#parts.id && this.#parts.clock.now() < this.#leadsUntil
    return { term: this.#term, leader: this.#leader, isSelf }
  }

  /** Stands for election, again and again. Resolves after the first time. */
  async start(): Promise<void> {
    await this.stand()
    this.#again()
  }

  /** Takes or renews the lease, if it is free or this instance's. Never rejects. */
  async stand(): Promise<Leadership> {
    const { redis, keys, clock, id, leaseMs } = this.#parts
    const asked = clock.now()
    try {
      const args = [id, String(leaseMs), String(this.#term)]
      const [term, leader] = rowOf(await redis.run(LEAD, [keys.leader, keys.term], { args, deadlineMs: this.#everyMs }))
      if (this.#isClosed) return this.leadership
      this.#term = Math.max(this.#term, Number(String(term)))
      this.#leader = String(leader)
      if (this.#leader === id) this.#leadsUntil = asked + leaseMs * 0.9
    } catch {
      if (this.#leader !== id) this.#leader = undefined
    }
    return this.leadership
  }

  /**
   * Asks for leave to act as the leader of a term, and records what is to be done.
   *
   * @throws (rejects) FC_L2_*: nobody knows whether it was recorded, and it must not be done
   */
  async permit(term: number, action: Omit<LastAction, 'agoMs'> & { readonly record: object }): Promise<Permit> {
    const { redis, keys, id } = this.#parts
    const { isSelf, term: now } = this.leadership
    if (!isSelf || term !== now) return 'refused'
    const args = [`${id} ${term}`, String(action.desired), action.direction, JSON.stringify(action.record)]
    const given = { args, deadlineMs: this.#everyMs }
    const reply = await redis.run(PERMIT, [keys.leader, keys.scaling, keys.scalingLog], given)
    // A pause of this process between the question and here may have outlived the lease.
    return String(reply) === 'granted' && this.leadership.isSelf ? 'granted' : 'refused'
  }

  /** What was done last, by whichever leader. @throws (rejects) FC_L2_* */
  async last(): Promise<LastAction | undefined> {
    const { redis, keys } = this.#parts
    const [ago, desired, direction] = rowOf(await redis.run(LAST, [keys.scaling], { args: [], deadlineMs: this.#everyMs }))
    if (ago === undefined) return undefined
    return { agoMs: Number(String(ago)), desired: Number(String(desired)), direction: String(direction) === 'in' ? 'in' : 'out' }
  }

  /** Adds to the log that all instances share. Never rejects. */
  async note(record: object): Promise<void> {
    const { redis, keys } = this.#parts
    const how = { key: keys.scalingLog, deadlineMs: this.#everyMs }
    try {
      await redis.call(['LPUSH', keys.scalingLog, JSON.stringify(record)], how)
      await redis.call(['LTRIM', keys.scalingLog, '0', String(LOG_ITEMS - 1)], how)
    } catch {
      // it stands in this instance's own log
    }
  }

  /** The log that all instances share, latest first. @throws (rejects) FC_L2_* */
  async log(): Promise<readonly unknown[]> {
    const { redis, keys } = this.#parts
    const command = ['LRANGE', keys.scalingLog, '0', String(LOG_ITEMS - 1)]
    const items = rowOf(await redis.call(command, { key: keys.scalingLog, deadlineMs: this.#everyMs }))
    return items.flatMap((item) => {
      try {
        return [JSON.parse(String(item)) as unknown]
      } catch {
        return []
      }
    })
  }

  /** Gives the lease back, so that another one follows at once. Never rejects. */
  async close(deadlineMs: number): Promise<void> {
    if (this.#isClosed) return
    const { isSelf, term } = this.leadership
    this.#isClosed = true
    this.#timer?.cancel()
    this.#leadsUntil = Number.NEGATIVE_INFINITY
    if (!isSelf) return
    const { redis, keys, id } = this.#parts
    await redis.run(RESIGN, [keys.leader], { args: [`${id} ${term}`], deadlineMs }).catch(() => undefined)
  }

  get #everyMs(): number {
    return this.#parts.leaseMs / RENEWALS
  }

  #again(): void {
    if (this.#isClosed) return
    this.#timer = this.#parts.clock.after(this.#everyMs, () => void this.stand().then(() => this.#again()))
  }
}

function rowOf(reply: RedisReply): readonly RedisReply[] {
  return Array.isArray(reply) ? (reply as readonly RedisReply[]) : []
}
