/**
 * The keys that each instance reads most, told to the others: what a new one fetches before it is asked.
 *
 * Floor 4, room ops. One value for each instance, replaced as a whole, bounded in keys and bytes, gone by itself. Keys say
 * what users ask for: where the second level is encrypted, so are they. What comes from the store was written by others and
 * is read with care.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { WarmKey } from '../flow/heat.ts'
import type { RedisPort } from '../tier/redis-port.ts'
import type { Seal } from '../wire/seal.ts'
import type { RegistryKeys } from './registry-keys.ts'

/** A key of a namespace. */
export interface HotKeyName extends WarmKey {
  /** Name of the namespace; '' is the default one. */
  readonly namespace: string
}

/** What a list is made of. */
export interface HotListParts {
  readonly redis: RedisPort
  readonly keys: RegistryKeys
  /** Instance whose list it is. */
  readonly id: string
  readonly seal: Seal | undefined
  /** Gone after this, ms. */
  readonly ttlMs: number
}

const MAX_BYTES = 256 * 1024
const MAX_KEYS = 100_000
const DEADLINE_MS = 1000
const BOUND = Buffer.from('forecache hot keys')

/** See the module's header. */
export class HotList {
  readonly #parts: HotListParts

  constructor(parts: HotListParts) {
    this.#parts = parts
  }

  /** Replaces this instance's list; as many as fit, hottest first. @throws (rejects) FC_L2_* */
  async publish(hot: readonly HotKeyName[]): Promise<void> {
    const { redis, keys, id, ttlMs } = this.#parts
    const key = keys.hot(id)
    await redis.call(['SET', key, this.#pack(hot), 'PX', String(ttlMs)], { key, deadlineMs: DEADLINE_MS, lane: 'behind' })
  }

  /** What others read most, hottest first, their heat together. @throws (rejects) FC_L2_* */
  async read(ids: readonly string[], limit: number): Promise<HotKeyName[]> {
    const { redis, keys } = this.#parts
    if (ids.length === 0) return []
    const reply = await redis.call(['MGET', ...ids.map((id) => keys.hot(id))], { key: keys.instances, deadlineMs: DEADLINE_MS })
    const all = new Map<string, HotKeyName>()
    for (const packed of Array.isArray(reply) ? reply : []) {
      if (!Buffer.isBuffer(packed)) continue
      for (const one of this.#unpack(packed)) {
        const name = JSON.stringify([one.namespace, one.key])
        all.set(name, { ...one, heat: one.heat + (all.get(name)?.heat ?? 0) })
      }
    }
    return [...all.values()].sort((a, b) => b.heat - a.heat).slice(0, limit)
  }

  #pack(hot: readonly HotKeyName[]): Buffer {
    const rows: [string, string, number][] = []
    let bytes = 0
    for (const { key, namespace, heat } of hot) {
      bytes += Buffer.byteLength(key) + Buffer.byteLength(namespace) + 24
      if (bytes > MAX_BYTES) break
      rows.push([key, namespace, Number(heat.toPrecision(3))])
    }
    const packed = deflateRawSync(JSON.stringify(rows))
    const { seal } = this.#parts
    return seal === undefined ? packed : Buffer.concat(seal.close(packed, BOUND))
  }

  #unpack(packed: Buffer): HotKeyName[] {
    try {
      const { seal } = this.#parts
      const plain = inflateRawSync(seal === undefined ? packed : seal.open(packed, BOUND), { maxOutputLength: MAX_BYTES * 2 })
      const rows = JSON.parse(plain.toString()) as unknown
      if (!Array.isArray(rows)) return []
      return rows.slice(0, MAX_KEYS).flatMap((row: unknown) => {
        const [key, namespace, heat] = Array.isArray(row) ? (row as unknown[]) : []
        if (typeof key !== 'string' || typeof namespace !== 'string' || typeof heat !== 'number') return []
        return Number.isFinite(heat) ? [{ key, namespace, heat }] : []
      })
    } catch {
      return [] // another version's, or sealed with a key that is not known here
    }
  }
}
