/**
 * Replays a trace: through a bare policy (unit weights), through the in-memory tier as it is, and through Belady's oracle.
 */
import { createVirtualClock } from '../../src/model/virtual-clock.ts'
import { createEviction, type PolicyName } from '../../src/shelf/policies.ts'
import { Fence } from '../../src/tier/fence.ts'
import { createMemory } from '../../src/tier/memory.ts'
import type { Trace } from './formats.ts'

/** @returns hits of a cache of `capacity` entries under a policy; every miss is stored */
export function simulatePolicy(trace: Trace, policy: PolicyName, capacity: number): number {
  const slotOf = new Int32Array(trace.distinct).fill(-1)
  const idOf = new Int32Array(capacity + 1)
  const free: number[] = []
  for (let slot = capacity; slot >= 0; slot -= 1) free.push(slot)
  const host = {
    weightOf: () => 1,
    cool: () => undefined,
    release: (slot: number) => void free.push(slot),
  }
  const eviction = createEviction(policy, host, capacity)
  eviction.grow(capacity + 1)
  let stored = 0
  let hits = 0
  for (let i = 0; i < trace.ids.length; i += 1) {
    const id = trace.ids[i] as number
    const known = slotOf[id] as number
    if (known >= 0) {
      eviction.touch(known)
      hits += 1
      continue
    }
    eviction.arrive(spread(id))
    while (stored >= capacity) {
      const victim = eviction.evict()
      slotOf[idOf[victim] as number] = -1
      free.push(victim)
      stored -= 1
    }
    const slot = free.pop() as number
    slotOf[id] = slot
    idOf[slot] = id
    eviction.insert(slot, 1)
    stored += 1
  }
  return hits
}

/** @returns hits of the real in-memory tier, limited to `capacity` entries */
export function simulateMemory(trace: Trace, policy: PolicyName, capacity: number): number {
  const clock = createVirtualClock()
  const fence = new Fence(clock)
  const memory = createMemory({ clock, fence, maxBytes: 2 ** 45, maxEntryBytes: 2 ** 30, maxEntries: capacity, policy })
  const budget = { freshMs: 1e9, staleMs: 1e9, onErrorMs: 1e9 }
  const keys = Array.from({ length: trace.distinct }, (_, id) => `/trace/${id}`)
  let hits = 0
  for (let i = 0; i < trace.ids.length; i += 1) {
    const key = keys[trace.ids[i] as number] as string
    if (memory.peek(key) !== undefined) {
      hits += 1
      continue
    }
    memory.put({ key, kind: 'value', value: key, bytes: 1, storedAt: clock.now(), asOf: 0, namespace: 0, tags: [], budget })
  }
  return hits
}

/** Belady: evicts what is needed again last, never stores what is needed later than all the rest. @returns hits */
export function simulateOptimum(trace: Trace, capacity: number): number {
  const { ids, distinct } = trace
  const never = ids.length
  const nextUse = new Int32Array(ids.length)
  const upcoming = new Int32Array(distinct).fill(never)
  for (let i = ids.length - 1; i >= 0; i -= 1) {
    nextUse[i] = upcoming[ids[i] as number] as number
    upcoming[ids[i] as number] = i
  }
  // A heap of stored keys, the latest next use on top; stale items (a key used meanwhile) are skipped when popped.
  const heap = new MaxHeap(ids.length)
  const dueOf = new Int32Array(distinct).fill(-1)
  let stored = 0
  let hits = 0
  for (let i = 0; i < ids.length; i += 1) {
    const id = ids[i] as number
    const due = nextUse[i] as number
    if ((dueOf[id] as number) >= 0) {
      hits += 1
    } else {
      stored += 1
    }
    dueOf[id] = due
    heap.push(due, id)
    while (stored > capacity) {
      const victim = heap.pop()
      if (dueOf[victim.id] !== victim.due) continue
      dueOf[victim.id] = -1
      stored -= 1
    }
  }
  return hits
}

class MaxHeap {
  readonly #due: Int32Array
  readonly #id: Int32Array
  #size = 0

  constructor(limit: number) {
    this.#due = new Int32Array(limit + 1)
    this.#id = new Int32Array(limit + 1)
  }

  push(due: number, id: number): void {
    let at = this.#size
    this.#size += 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if ((this.#due[parent] as number) >= due) break
      this.#due[at] = this.#due[parent] as number
      this.#id[at] = this.#id[parent] as number
      at = parent
    }
    this.#due[at] = due
    this.#id[at] = id
  }

  pop(): { readonly due: number; readonly id: number } {
    const top = { due: this.#due[0] as number, id: this.#id[0] as number }
    this.#size -= 1
    const due = this.#due[this.#size] as number
    const id = this.#id[this.#size] as number
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= this.#size) break
      if (child + 1 < this.#size && (this.#due[child + 1] as number) > (this.#due[child] as number)) child += 1
      if ((this.#due[child] as number) <= due) break
      this.#due[at] = this.#due[child] as number
      this.#id[at] = this.#id[child] as number
      at = child
    }
    this.#due[at] = due
    this.#id[at] = id
    return top
  }
}

/** Dense numbers as keys would hash: a bijection of int32, so that ghosts stay exact. */
function spread(id: number): number {
  const h = Math.imul(id ^ (id >>> 16), 0x45d9f3b)
  return h ^ (h >>> 13)
}

/** Hits and bytes answered of a cache of `capacity` bytes: the real in-memory tier, bookkeeping counted as it is in service. */
export function simulateBytes(
  trace: Trace,
  policy: PolicyName,
  capacity: number,
): { hits: number; hitBytes: number; bytes: number } {
  if (trace.sizes === undefined) throw new Error(`--bytes: format ${trace.format} tells no sizes`)
  const clock = createVirtualClock()
  const fence = new Fence(clock)
  const memory = createMemory({ clock, fence, maxBytes: capacity, maxEntryBytes: Math.min(capacity, 2 ** 31 - 1), policy })
  const budget = { freshMs: 1e9, staleMs: 1e9, onErrorMs: 1e9 }
  const answered = { hits: 0, hitBytes: 0, bytes: 0 }
  for (let i = 0; i < trace.ids.length; i += 1) {
    const key = String(trace.ids[i])
    const bytes = trace.sizes[i] as number
    answered.bytes += bytes
    if (memory.peek(key) !== undefined) {
      answered.hits += 1
      answered.hitBytes += bytes
      continue
    }
    memory.put({ key, kind: 'value', value: key, bytes, storedAt: clock.now(), asOf: 0, namespace: 0, tags: [], budget })
  }
  return answered
}
