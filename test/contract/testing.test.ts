/** `forecache/testing` as a user has it: what is known to go wrong, by seed, with a system of a few lines. */
import { describe, expect, it } from 'vitest'
import { createCache } from '../../src/entry/index.ts'
import { explore, type Instance, replay, type SimNode, type TrialOptions } from '../../src/entry/testing.ts'

const SEED = Number(process.env['FORECACHE_SEED'] ?? 1)

/** Look, load, store; delete when something has changed (N1, T4: a load that began before stores what was read before). */
function cacheAside(node: SimNode): Instance {
  const stored = new Map<string, number>()
  const load = async (key: string): Promise<number> => {
    const version = await node.load(key)
    stored.set(key, version)
    return version
  }
  return { read: (key) => stored.get(key) ?? load(key), invalidate: (key) => void stored.delete(key) }
}

/** T1: in the last part of its time an answer is renewed by every request. */
function refreshByEverybody(node: SimNode): Instance {
  let [version, loadedAt] = [-1, 0]
  const load = async (key: string): Promise<number> => {
    version = await node.load(key)
    loadedAt = node.clock.now()
    return version
  }
  return {
    read(key) {
      if (version >= 0 && node.clock.now() - loadedAt > 18) void load(key)
      return version < 0 ? load(key) : version
    },
    invalidate: (key) => void load(key),
  }
}

/** T2: a lock that is deleted without asking whose it is by now lets two in. */
function lockWithoutOwner({ store, sleep, load }: SimNode): Instance {
  const attempt = async (key: string): Promise<number> => {
    while (!(await store.set('lock', 'mine', { nx: true, px: 30 }))) await sleep(5)
    const version = await load(key)
    await store.del('lock')
    return version
  }
  return { read: attempt, invalidate: () => {} }
}

/** T3: what to invalidate is found by what stands beside the entries, and that is written after them. */
function scanForMeta({ store, load }: SimNode): Instance {
  return {
    async read(key) {
      const found = await store.get(key)
      if (found !== undefined) return Number(found)
      const version = await load(key)
      await store.set(key, String(version))
      await store.set(`meta:${key}`, key)
      return version
    },
    async invalidate(key) {
      for (const meta of await store.run((data) => data.keys('meta:'))) {
        if ((await store.get(meta)) === key) await store.del(key)
      }
    },
  }
}

function fenced({ clock, random, load }: SimNode): Instance {
  const cache = createCache({ clock, random })
  return {
    read: (key) => cache.fetch(key, { tags: [`t:${key}`], budget: { fresh: 40, stale: 200 } }, () => load(key)),
    invalidate: (key, version) => cache.invalidate(version % 2 === 0 ? { keys: [key] } : { tags: [`t:${key}`] }),
  }
}

const ONE: Partial<TrialOptions> = { nodes: 1, seed: SEED, schedules: 300, budget: 200 }
const oneLoad: TrialOptions['check'] = ({ origin }) =>
  origin.mostAtOnce > 1 ? [`${origin.mostAtOnce} loads of one key at once`] : []

describe('forecache/testing: what is known to go wrong, by seed', () => {
  const wrong: readonly (readonly [name: string, options: TrialOptions, says: RegExp])[] = [
    ['N1, T4: a fill after the invalidation', { ...ONE, start: cacheAside }, /P1 is broken: n1 gave k\d v\d/],
    [
      'T1: a refresh by everybody',
      { ...ONE, start: refreshByEverybody, check: oneLoad, keys: 1, promises: [] },
      /own is broken: \d+ loads of one key/,
    ],
    [
      'T2: a lock without an owner',
      { ...ONE, nodes: 3, start: lockWithoutOwner, check: oneLoad, keys: 1, promises: [] },
      /own is broken/,
    ],
    ['T3: an invalidation that looks for what is not there yet', { ...ONE, nodes: 2, start: scanForMeta }, /P[12] is broken/],
  ]

  it.each(wrong)('%s is found, and found again by its seed', async (_name, options, says) => {
    const { failure, text } = await explore({ ...options, stopAtFirst: true })
    expect(text).toMatch(says)

    const again = await replay(options, failure?.schedule ?? 0)
    expect(again.trace).toBe(failure?.trace)
    const drawn = await replay(options, failure?.seed ?? 0)
    const broken = new Set(drawn.violations.map(({ promise }) => promise))
    expect(failure?.violations.some(({ promise }) => broken.has(promise))).toBe(true)
  })

  it('none of it is found in forecache, by the same seeds', async () => {
    const found = await explore({ ...ONE, start: fenced, check: oneLoadAtATime })

    expect(found.text).toContain(': 0 failed')
    expect(found.counts.cached).toBeGreaterThan(found.counts.reads / 10)
  })
})

/** After an invalidation the next caller starts a load of his own: beside it one may still run for each that came before. */
function oneLoadAtATime({ origin, history }: Parameters<NonNullable<TrialOptions['check']>>[0]): string[] {
  const most = 1 + history.writes.length
  return origin.mostAtOnce > most ? [`${origin.mostAtOnce} loads at once`] : []
}
