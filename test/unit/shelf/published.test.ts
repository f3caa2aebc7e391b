import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEviction, type PolicyName } from '../../../src/shelf/policies.ts'

/** Replays keys with unit weights; returns which requests hit. */
function replay(name: PolicyName, keys: readonly number[], capacity: number): boolean[] {
  const slotOf = new Map<number, number>()
  const keyOf: number[] = []
  const free = Array.from({ length: capacity }, (_, i) => capacity - 1 - i)
  const host = { weightOf: () => 1, cool: () => undefined, release: () => undefined }
  const policy = createEviction(name, host, capacity)
  policy.grow(capacity)
  return keys.map((key) => {
    const slot = slotOf.get(key)
    if (slot !== undefined) {
      policy.touch(slot)
      return true
    }
    policy.arrive(key)
    if (free.length === 0) {
      const victim = policy.evict()
      slotOf.delete(keyOf[victim] as number)
      free.push(victim)
    }
    const taken = free.pop() as number
    keyOf[taken] = key
    slotOf.set(key, taken)
    policy.insert(taken, 1)
    return false
  })
}

/** Naive models: arrays, newest last. */
const MODELS: Partial<Record<PolicyName, (keys: readonly number[], capacity: number) => boolean[]>> = {
  lru: (keys, capacity) => {
    let list: number[] = []
    return keys.map((key) => {
      const hit = list.includes(key)
      list = [...list.filter((one) => one !== key), key].slice(-capacity)
      return hit
    })
  },
  sieve: (keys, capacity) => {
    const list: { key: number; visited: boolean }[] = []
    let hand = 0 // index from old to new
    return keys.map((key) => {
      const found = list.find((one) => one.key === key)
      if (found !== undefined) {
        found.visited = true
        return true
      }
      if (list.length === capacity) {
        if (hand >= list.length) hand = 0
        while ((list[hand] as { visited: boolean }).visited) {
          ;(list[hand] as { visited: boolean }).visited = false
          hand = (hand + 1) % list.length
        }
        list.splice(hand, 1)
        if (hand >= list.length) hand = Number.POSITIVE_INFINITY
      }
      // A hand past the newest starts again at the oldest, not at what comes in now.
      if (hand === Number.POSITIVE_INFINITY) hand = 0
      list.push({ key, visited: false })
      return false
    })
  },
  's3-fifo-published': (keys, capacity) => {
    const smallLimit = Math.floor(capacity * 0.1)
    const ghostLimit = Math.floor(capacity * 0.9)
    const small: { key: number; reads: number }[] = []
    const main: { key: number; reads: number }[] = []
    let ghost: (number | undefined)[] = []
    const evict = (): void => {
      if (main.length <= capacity - smallLimit) {
        while (small.length > 0) {
          const oldest = small.shift() as { key: number; reads: number }
          if (oldest.reads < 2) {
            ghost = [...ghost, oldest.key].slice(-ghostLimit)
            return
          }
          main.push({ key: oldest.key, reads: 0 })
        }
      }
      for (;;) {
        const oldest = main.shift() as { key: number; reads: number }
        if (oldest.reads === 0) return
        main.push({ key: oldest.key, reads: Math.min(oldest.reads, 3) - 1 })
      }
    }
    return keys.map((key) => {
      const found = [...small, ...main].find((one) => one.key === key)
      if (found !== undefined) {
        found.reads += 1
        return true
      }
      const returning = ghost.includes(key)
      ghost = ghost.map((one) => (one === key ? undefined : one))
      if (small.length + main.length === capacity) evict()
      ;(returning ? main : small).push({ key, reads: 0 })
      return false
    })
  },
}

describe('published policies against naive models', () => {
  it.each(Object.entries(MODELS))('%s hits exactly where its model hits', (name, model) => {
    const keys = fc.array(fc.oneof(fc.nat(8), fc.nat(60)), { minLength: 1, maxLength: 500 })
    fc.assert(
      fc.property(keys, fc.integer({ min: 10, max: 30 }), (requests, capacity) => {
        expect(replay(name as PolicyName, requests, capacity)).toEqual(model(requests, capacity))
      }),
      { numRuns: 200 },
    )
  })
})

describe('policies on small sequences', () => {
  const cases: readonly { policy: PolicyName; capacity: number; keys: string; hits: string }[] = [
    { policy: 'lru', capacity: 2, keys: 'a b a c a b', hits: '. . + . + .' },
    { policy: 'sieve', capacity: 3, keys: 'a b c a d a b', hits: '. . . + . + .' },
    { policy: 's3-fifo', capacity: 3, keys: 'a b a c d a b', hits: '. . + . . + .' },
    { policy: 's3-fifo', capacity: 2, keys: 'a a b c d e a', hits: '. + . . . . +' },
    { policy: 'w-tinylfu-20', capacity: 5, keys: 'a a a a b c d e f g a', hits: '. + + + . . . . . . +' },
  ]

  it.each(cases)('$policy with room for $capacity answers $keys as $hits', ({ policy, capacity, keys, hits }) => {
    const requests = keys.split(' ').map((key) => key.charCodeAt(0))
    const answered = replay(policy, requests, capacity).map((hit) => (hit ? '+' : '.'))
    expect(answered.join(' ')).toBe(hits)
  })
})
