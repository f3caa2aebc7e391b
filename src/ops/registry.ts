/**
 * The registry: which instances live, and how each of them does.
 *
 * Floor 4, room ops. Each instance has a field in one hash and a heartbeat key that ends by itself: whoever is killed is
 * gone when his heartbeat is, whoever leaves in order is gone at once, and whoever was paused for longer comes back with his
 * next beat. Fields without a heartbeat are taken out by whoever sees them, in one step that looks again. Two round trips to
 * read, however many instances there are; no SCAN, no KEYS. A store that does not answer costs nothing but the view of the
 * others.
 */
import type { Clock, Timer } from '../model/clock.ts'
import { textOf } from '../model/errors.ts'
import type { Logger } from '../model/port.ts'
import type { RedisPort } from '../tier/redis-port.ts'
import { defineScript } from '../tier/redis.ts'
import { type InstanceFacts, type InstanceIdentity, type InstanceVitals, parseInstance } from './instance.ts'
import type { RegistryKeys } from './registry-keys.ts'

/** What a registry is made of. */
export interface RegistryParts {
  readonly redis: RedisPort
  readonly keys: RegistryKeys
  readonly clock: Clock
  readonly logger: Logger
  readonly identity: InstanceIdentity
  /** Between two heartbeats, ms. */
  readonly beatMs: number
  /** An instance without a heartbeat counts as gone after this, ms. */
  readonly ttlMs: number
  /** Asked before each heartbeat. */
  vitals(): InstanceVitals | Promise<InstanceVitals>
  /** Hears of every heartbeat: whether it was taken. */
  onBeat?(isTaken: boolean): void
}

/** Instances that may be registered at once. */
export const MAX_INSTANCES = 1024
/** A registry that nobody uses any more goes after this. */
const HASH_TTL_MS = 86_400_000

/** KEYS: hash, heartbeat. ARGV: id, identity, vitals, time to live, most instances, the hash's time to live. */
const BEAT = defineScript(`
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[5]) then return 'full' end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[6])
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
return 'ok'
`)

/** KEYS: hash, heartbeat. ARGV: id. */
const DROP_SILENT = defineScript(`
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
`)

/** KEYS: hash, heartbeat, hot keys. ARGV: id. */
const LEAVE = defineScript(`
redis.call('UNLINK', KEYS[2], KEYS[3])
return redis.call('HDEL', KEYS[1], ARGV[1])
`)

/** See the module's header. */
export class Registry {
  readonly #parts: RegistryParts
  #timer: Timer | undefined
  #beating: Promise<void> | undefined
  #isClosed = false
  #isTroubled = false

  constructor(parts: RegistryParts) {
    this.#parts = parts
  }

  /** This instance's id. */
  get id(): string {
    return this.#parts.identity.id
  }

  /** Joins, and goes on beating. Resolves after the first beat, whatever became of it. */
  async start(): Promise<void> {
    await this.beat()
    this.#again()
  }

  /** As `beat`, with what holds now: a beat under way may have been begun before. Never rejects. */
  async announce(): Promise<void> {
    await this.#beating
    await this.beat()
  }

  /** Tells the others how this instance does. Never rejects. */
  beat(): Promise<void> {
    this.#beating ??= this.#beat().finally(() => (this.#beating = undefined))
    return this.#beating
  }

  /**
   * All instances that live, this one among them if it has joined; in the order of their start.
   *
   * @throws (rejects) FC_L2_*
   */
  async list(): Promise<readonly InstanceFacts[]> {
    const { redis, keys, beatMs } = this.#parts
    const fields = textsOf(await redis.call(['HGETALL', keys.instances], { key: keys.instances, deadlineMs: beatMs }))
    const ids = fields.filter((_, index) => index % 2 === 0).slice(0, MAX_INSTANCES * 2)
    if (ids.length === 0) return []
    const beats = await redis.call(['MGET', ...ids.map((id) => keys.beat(id))], { key: keys.instances, deadlineMs: beatMs })
    const vitals = Array.isArray(beats) ? beats : []
    const found: InstanceFacts[] = []
    ids.forEach((id, index) => {
      const beat: unknown = vitals[index]
      if (!Buffer.isBuffer(beat)) return this.#drop(id)
      const facts = parseInstance(id, fields[index * 2 + 1] as string, beat.toString())
      if (facts !== undefined) found.push(facts)
    })
    return found.sort((a, b) => a.startedAt.localeCompare(b.startedAt) || a.id.localeCompare(b.id))
  }

  /** Leaves; the others see it at once. Never rejects. */
  async leave(deadlineMs: number): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#timer?.cancel()
    await this.#beating
    const { redis, keys } = this.#parts
    const gone = redis.run(LEAVE, [keys.instances, keys.beat(this.id), keys.hot(this.id)], { args: [this.id], deadlineMs })
    await gone.catch(() => undefined) // its heartbeat ends without a word
  }

  async #beat(): Promise<void> {
    if (this.#isClosed) return
    const { redis, keys, identity, beatMs, ttlMs } = this.#parts
    try {
      const vitals = await this.#parts.vitals()
      const { id, ...fixed } = identity
      const args = [id, JSON.stringify(fixed), JSON.stringify(vitals), ttlMs, MAX_INSTANCES, HASH_TTL_MS].map(String)
      const reply = await redis.run(BEAT, [keys.instances, keys.beat(id)], { args, deadlineMs: beatMs })
      if (String(reply) === 'full') {
        await this.list() // takes out who is gone: the next beat finds room
        throw new Error(`${MAX_INSTANCES} instances are registered already`)
      }
      this.#parts.onBeat?.(true)
      if (this.#isTroubled) this.#parts.logger.info({ id }, 'registered again')
      this.#isTroubled = false
    } catch (error) {
      this.#parts.onBeat?.(false)
      if (!this.#isTroubled) this.#parts.logger.warn({ reason: textOf(error) }, 'this instance could not tell that it lives')
      this.#isTroubled = true
    }
  }

  #again(): void {
    if (this.#isClosed) return
    this.#timer = this.#parts.clock.after(this.#parts.beatMs, () => void this.beat().then(() => this.#again()))
  }

  #drop(id: string): void {
    const { redis, keys, beatMs } = this.#parts
    redis.run(DROP_SILENT, [keys.instances, keys.beat(id)], { args: [id], deadlineMs: beatMs }).catch(() => undefined)
  }
}

/** Texts of an array reply. */
function textsOf(reply: unknown): string[] {
  return Array.isArray(reply) ? reply.map(String) : []
}
