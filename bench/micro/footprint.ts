/**
 * Bookkeeping of a million entries, alone in this process: prints bytes per entry. Needs --expose-gc.
 *
 * Keys and values are made, and keys hashed, before the first reading; both stay alive to the last, so what is counted is
 * what the store itself allocates: index, rows, links. The store grows by itself, nothing is sized beforehand.
 */
import { LRUCache } from 'lru-cache'
import { systemClock } from '../../src/model/clock.ts'
import { Fence } from '../../src/tier/fence.ts'
import { createMemory } from '../../src/tier/memory.ts'

const ENTRIES = 1_000_000
const BODY_BYTES = 1000
const HOUR_MS = 3_600_000

const collect = (globalThis as { gc?: () => void }).gc
if (collect === undefined) throw new Error('run node with --expose-gc')

function used(): number {
  collect?.()
  collect?.()
  const { heapUsed, external } = process.memoryUsage() // external contains arrayBuffers: adding them would count rows twice
  return heapUsed + external
}

const value = { status: 200 }
const keys = Array.from({ length: ENTRIES }, (_, i) => Buffer.from(`/api/v1/products/${i}`, 'latin1').toString('latin1'))
const known = new Set(keys.slice(0, 8))
for (const key of keys) known.has(key)

const fill: Readonly<Record<string, () => unknown>> = {
  map: () => new Map(keys.map((key) => [key, value])),
  'lru-cache-ttl-size': () => {
    const lru = new LRUCache<string, object>({ maxSize: 2 ** 40, ttl: HOUR_MS, sizeCalculation: () => BODY_BYTES })
    for (const key of keys) lru.set(key, value)
    return lru
  },
  memory: () => {
    const clock = systemClock()
    const memory = createMemory({ clock, fence: new Fence(clock), maxBytes: '4GiB' })
    const budget = { freshMs: HOUR_MS, staleMs: HOUR_MS, onErrorMs: HOUR_MS }
    for (const key of keys) {
      memory.put({ key, kind: 'value', value, bytes: BODY_BYTES, storedAt: clock.now(), asOf: 0, namespace: 0, tags: [], budget })
    }
    if (memory.size !== ENTRIES) throw new Error(`only ${memory.size} entries fit`)
    return memory
  },
}

const make = fill[process.argv[2] ?? '']
if (make === undefined) throw new Error(`unknown store; known: ${Object.keys(fill).join(', ')}`)
const before = used()
const store = make()
const after = used()
process.stdout.write(`${(after - before) / ENTRIES}\n`)
if (store === undefined || keys.length !== ENTRIES) throw new Error('both must outlive the reading')
