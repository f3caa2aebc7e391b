/**
 * The second level in Redis or Valkey.
 *
 * Floor 2, room tier. An entry is one string: `FC1:generation.run:asOf:storedAt:` and its envelope. The run is the one of the
 * server that stored it: another run has another clock, by which nothing can be said of an age. Two small scripts do the
 * work: one reads with the store's time in the same step (on one server two plain commands do, for a third of its time), one
 * writes if nothing newer stands there. No command looks at more than the keys it is given: no KEYS, no SCAN, no FLUSH. The
 * physical time to live is the end of the budget, so nothing has to be cleared away. When an entry was read is written as the
 * store's clock says it (see store-clock) and never later than its writer's own count of its age allows, so neither a command
 * that hung nor a clock that stepped makes it young; nor do both at once: a write that finds the clock behind its own sending
 * is refused.
 */
import { hash } from 'node:crypto'
import type { Clock } from '../model/clock.ts'
import type { RedisReply } from './redis-client.ts'
import type { RedisPort } from './redis-port.ts'
import { slotOf } from './redis-slots.ts'
import { defineScript, isReply } from './redis.ts'
import type { RemotePort, RemoteRead, RemoteWrite, RemoteWritten } from './remote-port.ts'
import { StoreClock } from './store-clock.ts'

/** What a second level is made of. */
export interface RemoteParts {
  readonly redis: RedisPort
  readonly clock: Clock
  /** Before every key; no braces. */
  readonly prefix: string
  /** Names of keys are not to be read from the store. */
  readonly hidesKeys: boolean
  /** Larger entries are neither written nor read. */
  readonly maxEntryBytes: number
  /** Nothing stands longer, whatever its budget says, ms. */
  readonly maxMs: number
}

/** Keys of one read command. */
const PAGE = 64
const MAX_NAME_CHARS = 256
const GENERATION = /^[\w.-]{1,46}$/
const HEAD = /^FC1:([\w.-]{1,64}):(\d{1,16}):(\d{1,16}):/
const MAX_HEAD_BYTES = 4 + 65 + 17 + 17

/** ARGV: most bytes of an entry. Answers the store's time in µs and the entries. */
const READ = defineScript(`
local now = redis.call('TIME')
local found = {}
for i, key in ipairs(KEYS) do
  local bytes = redis.pcall('STRLEN', key)
  found[i] = type(bytes) == 'number' and bytes <= tonumber(ARGV[1]) and redis.call('GET', key)
end
return { now[1] .. string.format('%06d', now[2]), found }
`)

/**
 * One writer's two readings of the store's clock differ by so much: what he adds to his own entry, its codings, is not
 * older for it. Among readings of one place in the log nothing was invalidated, so either may stand.
 */
const CLOCK_PLAY_MS = 100

/**
 * By the store's clock a write is never carried out before it was sent, but for what rounding takes. Where it is, that clock was set
 * back meanwhile, and how long the write was under way cannot be said: by its writer's age it would be that much too young.
 */
const CLOCK_GRAIN_MS = 2

/**
 * ARGV: generation, asOf, storedAt by the store's clock, age by the writer's, ms to live from storedAt, envelope.
 * Answers the store's time in µs and what was done.
 */
const WRITE = defineScript(`
local time = redis.call('TIME')
local told = time[1] .. string.format('%06d', time[2])
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if now + ${CLOCK_GRAIN_MS} < ARGV[3] + ARGV[4] then return { told, 'unsure' } end
local stored = math.min(tonumber(ARGV[3]), now - tonumber(ARGV[4]))
local left = stored + tonumber(ARGV[5]) - now
if left < 1 then return { told, 'expired' } end
local head = redis.call('GETRANGE', KEYS[1], 0, ${MAX_HEAD_BYTES})
local generation, asOf, at = string.match(head, '^FC1:([%w_.-]+):(%d+):(%d+):')
if generation == ARGV[1] and tonumber(at) <= now then
  if tonumber(asOf) > tonumber(ARGV[2]) then return { told, 'older' } end
  if tonumber(asOf) == tonumber(ARGV[2]) and tonumber(at) > stored + ${CLOCK_PLAY_MS} then return { told, 'older' } end
end
local name = string.format('FC1:%s:%s:%.0f:', ARGV[1], ARGV[2], stored)
redis.call('SET', KEYS[1], name .. ARGV[6], 'PX', string.format('%.0f', left))
return { told, 'written' }
`)

/** See the module's header. */
export function createRemote(parts: RemoteParts): RemotePort {
  return new Remote(parts)
}

class Remote implements RemotePort {
  readonly #parts: RemoteParts
  /** By name of the server's run: a server that was started again has a clock that is not known. */
  readonly #clocks = new Map<string, StoreClock>()

  constructor(parts: RemoteParts) {
    this.#parts = parts
  }

  get isUp(): boolean {
    return this.#parts.redis.isUp()
  }

  async readMany(keys: readonly string[], deadlineMs: number): Promise<(RemoteRead | undefined)[]> {
    const found: (RemoteRead | undefined)[] = keys.map(() => undefined)
    await Promise.all(
      this.#pages(keys).map(async (page) => {
        const names = page.map((index) => this.#nameOf(keys[index] as string))
        const reads = await this.#read(names, deadlineMs)
        page.forEach((index, i) => {
          found[index] = reads[i]
        })
      }),
    )
    return found
  }

  async write(item: RemoteWrite, deadlineMs: number): Promise<RemoteWritten> {
    const { redis, clock, maxEntryBytes, maxMs } = this.#parts
    const { generation, asOf, storedAt, endsAt, envelope } = item
    if (!GENERATION.test(generation) || envelope.byteLength > maxEntryBytes) return 'unsure'
    const name = this.#nameOf(item.key)
    const store = this.#clockOf(name)
    if (!store.isKnown) await this.#read([name], deadlineMs) // its time is asked once a server
    const asked = clock.now()
    const lifeMs = Math.min(endsAt - storedAt, maxMs)
    if (!(storedAt + lifeMs > asked) || !store.isKnown) return store.isKnown ? 'expired' : 'unsure'
    const args = [
      `${generation}.${this.#runOf(name)}`,
      String(asOf),
      wholeText(Math.floor(store.at(storedAt))),
      wholeText(Math.max(0, Math.ceil(asked - storedAt))),
      wholeText(Math.floor(lifeMs)),
      Buffer.from(envelope.buffer, envelope.byteOffset, envelope.byteLength),
    ]
    const reply = await redis.run(WRITE, [name], { args, deadlineMs, lane: 'behind' })
    const [time, done] = Array.isArray(reply) ? (reply as readonly RedisReply[]) : []
    this.#observe(name, time, asked)
    const text = String(done)
    return text === 'written' || text === 'older' || text === 'expired' ? text : 'unsure'
  }

  async delete(keys: readonly string[], deadlineMs: number): Promise<void> {
    const { redis } = this.#parts
    await Promise.all(
      this.#pages(keys).map((page) => {
        const names = page.map((index) => this.#nameOf(keys[index] as string))
        return redis.call(['UNLINK', ...names], { deadlineMs, key: names[0] as string, lane: 'behind' })
      }),
    )
  }

  ready(deadlineMs: number): Promise<boolean> {
    return this.#parts.redis.ready(deadlineMs)
  }

  close(): void {
    this.#clocks.clear()
  }

  async #read(names: readonly string[], deadlineMs: number): Promise<(RemoteRead | undefined)[]> {
    const { redis, clock, maxEntryBytes } = this.#parts
    const asked = clock.now()
    const most = maxEntryBytes + MAX_HEAD_BYTES
    const run = this.#runOf(names[0] as string)
    const reply =
      redis.kind === 'single'
        ? await this.#readInOrder(names, { most, deadlineMs })
        : await redis.run(READ, names, { args: [String(most)], deadlineMs })
    const [time, found] = Array.isArray(reply) ? (reply as readonly RedisReply[]) : []
    const storeMs = this.#observe(names[0] as string, time, asked)
    const isSure = storeMs !== undefined && run === this.#runOf(names[0] as string)
    if (!Array.isArray(found) || !isSure) return names.map(() => undefined)
    const store = this.#clockOf(names[0] as string)
    return names.map((_, i) => readOne(found[i] as RedisReply | undefined, { run, store, storeMs, asked }))
  }

  /**
   * The same without a script, on one connection: entries first, then the time, so that ages come out too great rather than
   * too small. In a cluster an entry may come from another server than the time: there it has to be a script.
   */
  async #readInOrder(
    names: readonly string[],
    given: { readonly most: number; readonly deadlineMs: number },
  ): Promise<RedisReply> {
    const { redis } = this.#parts
    const { most, deadlineMs } = given
    const read = (name: string): Promise<RedisReply> => redis.call(['GETRANGE', name, '0', String(most)], { deadlineMs })
    const entries = names.map((name) => read(name).catch(noneOfOurs))
    const [time, ...found] = await Promise.all([redis.call(['TIME'], { deadlineMs }), ...entries])
    const [seconds, micros] = Array.isArray(time) ? (time as readonly RedisReply[]) : []
    return [`${String(seconds)}${String(micros).padStart(6, '0')}`, found.map((one) => (lengthOf(one) > most ? null : one))]
  }

  #observe(name: string, time: RedisReply | undefined, asked: number): number | undefined {
    const storeMs = Number(String(time)) / 1000 // not cut off: what is younger by half a ms is younger
    if (!(storeMs > 0)) return undefined
    this.#clockOf(name).observe(storeMs, asked, this.#parts.clock.now())
    return storeMs
  }

  #clockOf(name: string): StoreClock {
    const run = this.#parts.redis.runId(name)
    let store = this.#clocks.get(run)
    if (store === undefined) {
      if (this.#clocks.size >= MAX_CLOCKS) this.#clocks.clear()
      store = new StoreClock(this.#parts.maxMs)
      this.#clocks.set(run, store)
    }
    return store
  }

  /** What tells one run of a server from another, in an entry. */
  #runOf(name: string): string {
    return (
      this.#parts.redis
        .runId(name)
        .replaceAll(/[^\w-]/g, '')
        .slice(0, RUN_CHARS) || 'unnamed'
    )
  }

  #nameOf(key: string): string {
    const { prefix, hidesKeys } = this.#parts
    const isPlain = !hidesKeys && key.length <= MAX_NAME_CHARS
    return isPlain ? `${prefix}k:${key}` : `${prefix}h:${hash('sha256', key, 'base64url')}`
  }

  /** Indexes of keys that one command may name: of one slot in a cluster. */
  #pages(keys: readonly string[]): readonly (readonly number[])[] {
    const isCluster = this.#parts.redis.kind === 'cluster'
    const pages: number[][] = []
    const open = new Map<number, number[]>()
    keys.forEach((key, index) => {
      const slot = isCluster ? slotOf(this.#nameOf(key)) : 0
      let page = open.get(slot)
      if (page === undefined || page.length >= PAGE) {
        page = []
        open.set(slot, page)
        pages.push(page)
      }
      page.push(index)
    })
    return pages
  }
}

const MAX_CLOCKS = 1024
const RUN_CHARS = 16

/** What stands there is no text at all. */
function noneOfOurs(error: unknown): null {
  if (isReply(error, 'WRONGTYPE')) return null
  throw error
}

function lengthOf(reply: RedisReply): number {
  return Buffer.isBuffer(reply) ? reply.byteLength : 0
}

interface Reading {
  readonly run: string
  readonly store: StoreClock
  readonly storeMs: number
  readonly asked: number
}

function readOne(given: RedisReply | undefined, { run, store, storeMs, asked }: Reading): RemoteRead | undefined {
  if (!Buffer.isBuffer(given)) return undefined
  const match = HEAD.exec(given.toString('latin1', 0, MAX_HEAD_BYTES))
  if (match === null) return undefined
  const [head, name, asOf, storedMs] = match as unknown as [string, string, string, string]
  if (!name.endsWith(`.${run}`)) return undefined
  // Written by a clock that is ahead of what the store says now: nothing can be said of its age.
  if (Number(storedMs) > storeMs) return undefined
  return {
    generation: name.slice(0, -run.length - 1),
    asOf: Number(asOf),
    storedAt: store.steadyOf(Number(storedMs), storeMs, asked),
    envelope: given.subarray(head.length),
  }
}

/** Digits alone, whatever the size. */
function wholeText(value: number): string {
  return Math.min(value, Number.MAX_SAFE_INTEGER).toFixed(0)
}
