/**
 * The cases of the micro benchmark; each runs in a process of its own, so that none lives off another's compiled code.
 */
import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { Cacheable } from 'cacheable'
import { LRUCache } from 'lru-cache'
import { createCache } from '../../src/entry/index.ts'
import { systemClock } from '../../src/model/clock.ts'
import type { Entry } from '../../src/model/entry.ts'
import { createRandom } from '../../src/model/random.ts'
import { Fence } from '../../src/tier/fence.ts'
import { createMemory, type MemoryTier } from '../../src/tier/memory.ts'

/** Entries stored while hits are measured, and distinct places in the order they are read. */
export const ENTRIES = Number(process.argv[3] ?? 10_000)
const ORDER = 65_536
/** Entries that fit while inserts with eviction are measured. */
const ROOM = 10_000
const BODY_BYTES = 1000
const HOUR_MS = 3_600_000
/** One budget and one empty list for all, as the engine hands them on. */
const HOUR = { freshMs: HOUR_MS, staleMs: HOUR_MS, onErrorMs: HOUR_MS }
const NO_TAGS: readonly string[] = []

/** One case: prepares, then offers a loop that performs `count` operations. */
export interface Case {
  readonly name: string
  readonly perRound: number
  prepare(): Promise<(count: number) => number | Promise<number>>
  /** Called before each timed loop: makes what the loop will use up. */
  refill?(count: number): void
}

interface Body {
  readonly status: number
  readonly bytes: Uint8Array
}

const bodies = (): Body[] => Array.from({ length: ENTRIES }, (_, i) => ({ status: i & 0xff, bytes: new Uint8Array(8) }))
const keyOf = (i: number): string => `/api/v1/products/${i}`
/** Flat strings, as they come off the wire; a concatenated one would be flattened on first use, at some later time. */
const flat = (text: string): string => Buffer.from(text, 'latin1').toString('latin1')
const keys = (): string[] => Array.from({ length: ENTRIES }, (_, i) => flat(keyOf(i)))

/** The same order of reads for all cases: popularity by Zipf's law (exponent 1), as requests of an API are. */
function order(): Int32Array {
  const random = createRandom(12_345)
  const cumulated = new Float64Array(ENTRIES)
  let sum = 0
  for (let rank = 0; rank < ENTRIES; rank += 1) cumulated[rank] = sum += 1 / (rank + 1)
  const entryOfRank = Int32Array.from({ length: ENTRIES }, (_, i) => (i * 7919) % ENTRIES)
  return Int32Array.from({ length: ORDER }, () => {
    const drawn = random() * sum
    let low = 0
    for (let high = ENTRIES - 1; low < high; ) {
      const middle = (low + high) >> 1
      if ((cumulated[middle] as number) < drawn) low = middle + 1
      else high = middle
    }
    return entryOfRank[low] as number
  })
}

function filledMemory(maxBytes = '1GiB'): MemoryTier {
  const clock = systemClock()
  const memory = createMemory({ clock, fence: new Fence(clock), maxBytes })
  const values = bodies()
  keys().forEach((key, i) => memory.put(entryOf(key, values[i], clock.now())))
  return memory
}

function entryOf(key: string, value: unknown, storedAt: number): Entry {
  return { key, kind: 'value', value, bytes: BODY_BYTES, storedAt, asOf: 0, namespace: 0, tags: NO_TAGS, budget: HOUR }
}

/** A loop of reads by keys that exist already; written out per case, so that each call site sees one kind of store. */
function hits(name: string, prepare: () => Promise<(names: string[], at: Int32Array, count: number) => number>): Case {
  return {
    name,
    perRound: 3_000_000,
    prepare: async () => {
      const loop = await prepare()
      const names = keys()
      const at = order()
      return (count) => loop(names, at, count)
    },
  }
}

/** As `hits`, the key concatenated anew for every read. */
function freshHits(name: string, prepare: () => Promise<(at: Int32Array, count: number) => number>): Case {
  return {
    name,
    perRound: 1_500_000,
    prepare: async () => {
      const loop = await prepare()
      const at = order()
      return (count) => loop(at, count)
    },
  }
}

const fail = (): never => {
  throw new Error('a hit missed')
}

const HITS: readonly Case[] = [
  hits('map-hit', async () => {
    const values = bodies()
    const map = new Map(keys().map((key, i) => [key, values[i]]))
    return (names, at, count) => {
      let sum = 0
      for (let i = 0; i < count; i += 1) sum += (map.get(names[at[i & (ORDER - 1)] as number] as string) ?? fail()).status
      return sum
    }
  }),
  hits('lru-cache-hit', async () => {
    const values = bodies()
    const lru = new LRUCache<string, Body>({ max: ENTRIES * 2 })
    keys().forEach((key, i) => lru.set(key, values[i]))
    return (names, at, count) => {
      let sum = 0
      for (let i = 0; i < count; i += 1) sum += (lru.get(names[at[i & (ORDER - 1)] as number] as string) ?? fail()).status
      return sum
    }
  }),
  hits('lru-cache-ttl-size-hit', async () => {
    const values = bodies()
    const lru = new LRUCache<string, Body>({ maxSize: 2 ** 30, ttl: HOUR_MS, sizeCalculation: () => BODY_BYTES })
    keys().forEach((key, i) => lru.set(key, values[i]))
    return (names, at, count) => {
      let sum = 0
      for (let i = 0; i < count; i += 1) sum += (lru.get(names[at[i & (ORDER - 1)] as number] as string) ?? fail()).status
      return sum
    }
  }),
  hits('memory-peek', async () => {
    const memory = filledMemory()
    return (names, at, count) => {
      let sum = 0
      for (let i = 0; i < count; i += 1) {
        sum += ((memory.peek(names[at[i & (ORDER - 1)] as number] as string) ?? fail()) as Body).status
      }
      return sum
    }
  }),
  hits('cache-peek', async () => {
    const cache = createCache({ memory: { maxBytes: '1GiB' }, values: 'reference' })
    const values = bodies()
    await Promise.all(keys().map((key, i) => cache.set(key, values[i], { budget: '1h' })))
    return (names, at, count) => {
      let sum = 0
      for (let i = 0; i < count; i += 1) {
        sum += (cache.peek<Body>(names[at[i & (ORDER - 1)] as number] as string) ?? fail()).status
      }
      return sum
    }
  }),
]

const FRESH: readonly Case[] = [
  freshHits('map-fresh-key', async () => {
    const values = bodies()
    const map = new Map(keys().map((key, i) => [key, values[i]]))
    return (at, count) => {
      let sum = 0
      for (let i = 0; i < count; i += 1) sum += (map.get(keyOf(at[i & (ORDER - 1)] as number)) ?? fail()).status
      return sum
    }
  }),
  freshHits('memory-fresh-key', async () => {
    const memory = filledMemory()
    return (at, count) => {
      let sum = 0
      for (let i = 0; i < count; i += 1) sum += ((memory.peek(keyOf(at[i & (ORDER - 1)] as number)) ?? fail()) as Body).status
      return sum
    }
  }),
]

/** Awaited reads of caches that have no synchronous one. */
function awaited(name: string, perRound: number, prepare: () => Promise<(key: string) => Promise<Body | undefined>>): Case {
  return {
    name,
    perRound,
    prepare: async () => {
      const read = await prepare()
      const names = keys()
      const at = order()
      return async (count) => {
        let sum = 0
        for (let i = 0; i < count; i += 1) sum += ((await read(names[at[i & (ORDER - 1)] as number] as string)) ?? fail()).status
        return sum
      }
    },
  }
}

async function filledBento() {
  const store = bentostore().useL1Layer(memoryDriver({ maxItems: ENTRIES * 2 }))
  const bento = new BentoCache({ default: 'memory', stores: { memory: store } })
  const values = bodies()
  for (const [i, key] of keys().entries()) await bento.set({ key, value: values[i], ttl: '1h' })
  return bento
}

const AWAITED: readonly Case[] = [
  awaited('bentocache-get-or-set', 60_000, async () => {
    const bento = await filledBento()
    return (key) => bento.getOrSet<Body>({ key, ttl: '1h', factory: fail })
  }),
  awaited('bentocache-get', 60_000, async () => {
    const bento = await filledBento()
    return (key) => bento.get<Body>({ key })
  }),
  awaited('cacheable-get', 60_000, async () => {
    const cacheable = new Cacheable({ ttl: '1h' })
    const values = bodies()
    for (const [i, key] of keys().entries()) await cacheable.set(key, values[i])
    return (key) => cacheable.get<Body>(key)
  }),
  awaited('cache-fetch', 60_000, async () => {
    const cache = createCache({ memory: { maxBytes: '1GiB' }, values: 'reference' })
    const values = bodies()
    await Promise.all(keys().map((key, i) => cache.set(key, values[i], { budget: '1h' })))
    return async (key) => (await cache.fetch<Body>(key, { budget: '1h' }, fail)).data
  }),
]

/** Every key is new: each insert evicts. Keys are made beforehand; what is measured is the store. */
function inserts(name: string, prepare: () => (keys: readonly string[], value: Body) => void): Case {
  let made = 0
  let ready: string[] = []
  return {
    name,
    perRound: 400_000,
    refill: (count) => {
      ready = Array.from({ length: count }, () => flat(keyOf((made += 1))))
    },
    prepare: async () => {
      const putAll = prepare()
      const value: Body = { status: 1, bytes: new Uint8Array(8) }
      return () => {
        putAll(ready, value)
        return ready.length
      }
    },
  }
}

const INSERTS: readonly Case[] = [
  inserts('lru-cache-ttl-size-insert', () => {
    const lru = new LRUCache<string, Body>({ maxSize: ROOM * BODY_BYTES, ttl: HOUR_MS, sizeCalculation: () => BODY_BYTES })
    return (names, value) => {
      for (const key of names) lru.set(key, value)
    }
  }),
  inserts('memory-insert', () => {
    const clock = systemClock()
    const memory = createMemory({ clock, fence: new Fence(clock), maxBytes: ROOM * (BODY_BYTES + 150) })
    return (names, value) => {
      for (const key of names) memory.put(entryOf(key, value, clock.now()))
    }
  }),
]

/** All cases by name. */
export const CASES: ReadonlyMap<string, Case> = new Map(
  [...HITS, ...FRESH, ...AWAITED, ...INSERTS].map((one) => [one.name, one] as const),
)
