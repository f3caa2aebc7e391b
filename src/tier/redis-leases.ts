/**
 * Leases in Redis or Valkey.
 *
 * Floor 2, room tier. One script a step, one connection for all bells: each member has a channel of its own, and who waits for
 * a lease stands in that lease's set. What the holder has got goes through a stream of bounded length with a time to live, so
 * that who comes late, or misses a bell, still reads it from its beginning. See lease-store for the port.
 */
import { randomBytes } from 'node:crypto'
import {
  isLeaseOutcome,
  type LeaseAnswer,
  type LeaseBell,
  type LeaseClaim,
  type LeaseFrame,
  type LeaseHold,
  type LeaseListening,
  type LeaseOutcome,
  type LeaseRead,
  type LeaseStore,
} from './lease-store.ts'
import type { RedisReply } from './redis-client.ts'
import { ASK, EXTEND, PUBLISH, READ, RELEASE } from './redis-lease-scripts.ts'
import type { RedisPort } from './redis-port.ts'

/** What a store is made of. */
export interface RedisLeaseParts {
  readonly redis: RedisPort
  /** Before every key; without braces. */
  readonly prefix: string
}

/** Frames that stand in one stream; who is further behind has lost them. */
export const MAX_FRAMES = 64
/** A release is remembered so long: who asks within it looks at the second level first, ms. */
const RELEASED_MS = 2000
const PULSE = 'p'
const KINDS: Readonly<Record<string, LeaseBell['kind']>> = { w: 'awaited', f: 'frames', o: 'over', t: 'taken' }

/** See the module's header. */
export class RedisLeases implements LeaseStore {
  readonly member = randomBytes(9).toString('base64url')
  readonly #redis: RedisPort
  readonly #prefix: string
  readonly #bells: string

  constructor({ redis, prefix }: RedisLeaseParts) {
    this.#redis = redis
    this.#prefix = prefix
    this.#bells = `${prefix}bell:`
  }

  isUp(name: string): boolean {
    return this.#redis.isUp(this.#keys(name)[0])
  }

  async ask(name: string, { token, stamp, leaseMs, over }: LeaseClaim, deadlineMs: number): Promise<LeaseAnswer> {
    const args = [token, stamp, String(leaseMs), over === '' ? '-' : over, this.member]
    const reply = await this.#redis.run(ASK, this.#keys(name), { args: this.#args(name, args), deadlineMs })
    const [taken, who, theirs, left] = Array.isArray(reply) ? (reply as readonly RedisReply[]) : []
    if (Number(taken) === 1) return { isHeld: true, wasReleased: String(who) === '-' }
    return { isHeld: false, token: String(who), stamp: String(theirs), leftMs: Math.max(0, Number(left)) }
  }

  async extend({ name, token }: LeaseHold, leaseMs: number, deadlineMs: number): Promise<{ isHeld: boolean; waiting: number }> {
    const args = this.#args(name, [token, String(leaseMs)])
    const reply = await this.#redis.run(EXTEND, this.#keys(name), { args, deadlineMs })
    const [isHeld, waiting] = Array.isArray(reply) ? (reply as readonly RedisReply[]) : []
    return { isHeld: Number(isHeld) === 1, waiting: Number(waiting) }
  }

  async publish(
    { name, token }: LeaseHold,
    { first, frames, keepMs }: { readonly first: number; readonly frames: readonly LeaseFrame[]; readonly keepMs: number },
    deadlineMs: number,
  ): Promise<boolean> {
    const cells = frames.flatMap(({ kind, data }) => [String(kind), Buffer.from(data.buffer, data.byteOffset, data.byteLength)])
    const args = [...this.#args(name, [token, String(first), String(keepMs), String(MAX_FRAMES)]), ...cells]
    return (await this.#redis.run(PUBLISH, this.#keys(name), { args, deadlineMs, lane: 'behind' })) === 1
  }

  async release({ name, token }: LeaseHold, outcome: LeaseOutcome, deadlineMs: number): Promise<boolean> {
    const args = this.#args(name, [token, outcome, String(RELEASED_MS)])
    return (await this.#redis.run(RELEASE, this.#keys(name), { args, deadlineMs, lane: 'behind' })) === 1
  }

  async read({ name, token }: LeaseHold, after: number, deadlineMs: number): Promise<LeaseRead> {
    const args = this.#args(name, [token, String(after)])
    const reply = await this.#redis.run(READ, this.#keys(name), { args, deadlineMs })
    const [age, rows] = Array.isArray(reply) ? (reply as readonly RedisReply[]) : []
    const parsed = (Array.isArray(rows) ? (rows as readonly RedisReply[]) : []).map(parseFrame)
    const own = parsed.every((row) => row.token === token) ? parsed : []
    const ageMs = Number(age)
    return { first: own[0]?.number ?? 0, frames: own, ageMs: ageMs >= 0 ? ageMs : Number.POSITIVE_INFINITY }
  }

  async probe(name: string, deadlineMs: number): Promise<void> {
    await this.#redis.call(['PUBLISH', this.#bells + this.member, PULSE], { deadlineMs, key: this.#keys(name)[0] as string })
  }

  async listen(onBell: (bell: LeaseBell) => void, onPulse: () => void): Promise<LeaseListening> {
    const session = await this.#redis.session()
    await session.subscribe(this.#bells + this.member, (message) => {
      const word = message.toString('latin1')
      if (word === PULSE) return onPulse()
      const bell = parseBell(word)
      if (bell !== undefined) onBell(bell)
    })
    return session
  }

  #keys(name: string): readonly string[] {
    const tag = `${this.#prefix}{lease:${name}}`
    return [tag, `${tag}:wait`, `${tag}:fill`]
  }

  #args(name: string, rest: readonly (string | Buffer)[]): readonly (string | Buffer)[] {
    return [this.#bells, name, ...rest]
  }
}

function parseBell(word: string): LeaseBell | undefined {
  const [letter = '', name = '', token = '', outcome = 'failed'] = word.split(' ')
  const kind = KINDS[letter]
  if (kind === undefined) return undefined
  return { kind, name, token, outcome: isLeaseOutcome(outcome) ? outcome : 'failed' }
}

function parseFrame(row: RedisReply): LeaseFrame & { readonly number: number; readonly token: string } {
  const [id, cells] = Array.isArray(row) ? (row as readonly RedisReply[]) : []
  const fields = Array.isArray(cells) ? (cells as readonly RedisReply[]) : []
  const data = fields[5]
  return {
    number: Number(String(id).slice(2)),
    token: String(fields[1]),
    kind: Number(String(fields[3])),
    data: Buffer.isBuffer(data) ? data : new Uint8Array(0),
  }
}
