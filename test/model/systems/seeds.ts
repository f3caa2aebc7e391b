/**
 * Models of what articles on API caching recommend: each is a known wrong way, and has to fail where forecache does not.
 */
import type { SimNode } from '../../../src/sim/node.ts'
import type { Instance } from '../../../src/sim/trial-options.ts'

const TTL_MS = 60_000
const LOCK_MS = 100

interface Stored {
  readonly version: number
  readonly expiresAt: number
}

/** A map with times to live. */
export class Memory {
  readonly #node: SimNode
  readonly #stored = new Map<string, Stored>()

  constructor(node: SimNode) {
    this.#node = node
  }

  get(key: string): number | undefined {
    const stored = this.#stored.get(key)
    return stored !== undefined && stored.expiresAt > this.#node.clock.now() ? stored.version : undefined
  }

  set(key: string, version: number, ttlMs = TTL_MS): void {
    this.#stored.set(key, { version, expiresAt: this.#node.clock.now() + ttlMs })
  }

  delete(key: string): void {
    this.#stored.delete(key)
  }
}

/** Cache-aside in memory: a load that began before the invalidation stores what it read after it. */
export function fillAfterInvalidate(node: SimNode): Instance {
  const memory = new Memory(node)
  return {
    async read(key) {
      const hit = memory.get(key)
      if (hit !== undefined) return { data: hit, cached: true }
      const version = await node.load(key)
      memory.set(key, version)
      return version
    },
    invalidate: (key) => memory.delete(key),
  }
}

/** One store for all, a lock `SET NX PX` around the load that is deleted without asking whose it is; others poll. */
export function lockAndDelete(node: SimNode): Instance {
  const { store } = node
  const found = async (key: string): Promise<number | undefined> => {
    const text = await store.get(`v:${key}`)
    return text === undefined ? undefined : Number(text)
  }
  const loadAndSet = async (key: string): Promise<number> => {
    const version = await node.load(key)
    await store.set(`v:${key}`, String(version), { px: TTL_MS })
    return version
  }
  return {
    async read(key) {
      const hit = await found(key)
      if (hit !== undefined) return { data: hit, cached: true }
      if (await store.set(`lock:${key}`, '1', { nx: true, px: LOCK_MS })) {
        const version = await loadAndSet(key)
        await store.del(`lock:${key}`)
        return version
      }
      for (let polls = 0; polls < 5; polls += 1) {
        await node.sleep(5)
        const version = await found(key)
        if (version !== undefined) return { data: version, cached: true }
      }
      return loadAndSet(key)
    },
    invalidate: async (key) => void (await store.del(`v:${key}`)),
  }
}

/** Memory on each node, the store behind, and a message to all at each change: nobody knows of a message that was lost. */
export function pubSubAlone(node: SimNode): Instance {
  const { store } = node
  const memory = new Memory(node)
  store.subscribe('invalidate', (key) => memory.delete(key))
  return {
    async read(key) {
      const hit = memory.get(key)
      if (hit !== undefined) return { data: hit, cached: true }
      const text = await store.get(`v:${key}`)
      const version = text === undefined ? await node.load(key) : Number(text)
      if (text === undefined) await store.set(`v:${key}`, String(version), { px: TTL_MS })
      memory.set(key, version)
      return version
    },
    async invalidate(key) {
      memory.delete(key)
      await store.del(`v:${key}`)
      await store.publish('invalidate', key)
    },
  }
}

/** A tag holds when it was last invalidated; an entry is good if it was stored later, however early it was read. */
export function tagTimestamps(node: SimNode): Instance {
  const { store } = node
  return {
    async read(key) {
      const [text, tag] = await store.run((data) => [data.get(`v:${key}`), data.get(`tag:${key}`)])
      const [version, storedAt] = (text ?? '').split('@').map(Number)
      if (text !== undefined && version !== undefined && (storedAt ?? 0) > Number(tag ?? 0))
        return { data: version, cached: true }
      const loaded = await node.load(key)
      await store.run((data) => data.set(`v:${key}`, `${loaded}@${data.time()}`, { px: TTL_MS }))
      return loaded
    },
    invalidate: async (key) => void (await store.run((data) => data.set(`tag:${key}`, String(data.time())))),
  }
}

/** Looks for keys to invalidate by what stands beside them: what is written beside comes later than what it is about. */
export function scanAndMeta(node: SimNode): Instance {
  const { store } = node
  return {
    async read(key) {
      const text = await store.get(`v:${key}`)
      if (text !== undefined) return { data: Number(text), cached: true }
      const version = await node.load(key)
      await store.set(`v:${key}`, String(version), { px: TTL_MS })
      await store.run((data) => data.hset(`v:${key}:meta`, 'about', key))
      return version
    },
    async invalidate(key) {
      const metas = (await store.run((data) => data.keys('v:'))).filter((name) => name.endsWith(':meta'))
      for (const meta of metas) {
        if ((await store.run((data) => data.hget(meta, 'about'))) === key) await store.del(meta.slice(0, -':meta'.length))
      }
    },
  }
}

/** In the last part of its time an answer is renewed behind: by every request, not by one. */
export function refreshByEverybody(node: SimNode): Instance {
  const memory = new Memory(node)
  const lateAt = new Map<string, number>()
  const load = async (key: string): Promise<number> => {
    const version = await node.load(key)
    memory.set(key, version, 200)
    lateAt.set(key, node.clock.now() + 20)
    return version
  }
  return {
    async read(key) {
      const hit = memory.get(key)
      if (hit === undefined) return load(key)
      if (node.clock.now() > (lateAt.get(key) ?? 0)) void load(key)
      return { data: hit, cached: true }
    },
    invalidate: (key) => memory.delete(key),
  }
}
