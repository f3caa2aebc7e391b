/**
 * Models of what other caches do, as far as their promises about invalidation go.
 */
import type { SimNode } from '../../../src/sim/node.ts'
import type { Instance } from '../../../src/sim/trial-options.ts'
import { Memory } from './seeds.ts'

/** Loads of one process under way: callers of a key share one. */
class Loads {
  readonly #underWay = new Map<string, Promise<number>>()

  join(key: string, load: () => Promise<number>): Promise<number> {
    const joined = this.#underWay.get(key)
    if (joined !== undefined) return joined
    const begun = load().finally(() => this.#underWay.delete(key))
    this.#underWay.set(key, begun)
    return begun
  }
}

/**
 * As bentocache: memory, a store, a bus, one load a process. What is set or deleted is told to the others, whose memory drops
 * it. Fills are checked here against what was heard meanwhile, so that only messages that were lost remain as a cause.
 */
export function memoryStoreAndBus(node: SimNode): Instance {
  const { store } = node
  const memory = new Memory(node)
  const loads = new Loads()
  const heard = new Map<string, number>()
  const drop = (key: string): void => {
    heard.set(key, (heard.get(key) ?? 0) + 1)
    memory.delete(key)
  }
  store.subscribe('bus', drop)
  const load = async (key: string): Promise<number> => {
    const before = heard.get(key) ?? 0
    const text = await store.get(key)
    const version = text === undefined ? await node.load(key) : Number(text)
    if (before !== (heard.get(key) ?? 0)) return version
    if (text === undefined) await store.set(key, String(version), { px: 60_000 })
    if (before === (heard.get(key) ?? 0)) memory.set(key, version)
    return version
  }
  return {
    async read(key) {
      const hit = memory.get(key)
      return hit === undefined ? loads.join(key, () => load(key)) : { data: hit, cached: true }
    },
    async invalidate(key) {
      drop(key)
      await store.del(key)
      await store.publish('bus', key)
    },
  }
}

/** As Varnish: what is asked for together is fetched once, a purge removes what stands, and what is on its way comes to stand. */
export function purgeRace(node: SimNode): Instance {
  const memory = new Memory(node)
  const loads = new Loads()
  return {
    read(key) {
      const hit = memory.get(key)
      if (hit !== undefined) return { data: hit, cached: true }
      return loads.join(key, async () => {
        const version = await node.load(key)
        memory.set(key, version)
        return version
      })
    },
    invalidate: (key) => memory.delete(key),
  }
}
