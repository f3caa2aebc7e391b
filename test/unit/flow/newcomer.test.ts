import { beforeEach, describe, expect, it } from 'vitest'
import { type Cache, createCache } from '../../../src/flow/cache.ts'
import type { BlindPolicy } from '../../../src/model/link.ts'
import { createRandom } from '../../../src/model/random.ts'
import { createVirtualClock, type VirtualClock } from '../../../src/model/virtual-clock.ts'
import { StreamLink } from '../../../src/tier/stream-link.ts'
import { VirtualLog, VirtualLogStore } from '../../support/virtual-log.ts'

const BLIND_MS = 400

interface Machine {
  readonly cache: Cache
  isCut: boolean
}

describe('an instance that has not found the log yet', () => {
  let clock: VirtualClock
  let log: VirtualLog
  let version: number
  let loads: number

  beforeEach(() => {
    clock = createVirtualClock()
    log = new VirtualLog(clock)
    version = 1
    loads = 0
  })

  function start(member: string, { isCut = false, policy = 'budget' as BlindPolicy } = {}): Machine {
    const cache = createCache({ clock, random: createRandom(1), memory: { maxBytes: 1_000_000 } })
    const machine = { cache, isCut }
    const store = new VirtualLogStore(log, { member, clock, net: { delay: () => 1, isCut: () => machine.isCut } })
    cache.engine.join(new StreamLink({ clock, store, blindAfterMs: BLIND_MS, ackMs: BLIND_MS * 1.25 }), policy)
    return machine
  }

  async function read({ cache }: Machine): Promise<{ data: number; cached: boolean }> {
    const answer = cache.fetch('k', { budget: '10m', tags: ['t'] }, async () => {
      loads += 1
      return version
    })
    await clock.advanceAsync(5)
    return answer
  }

  it('serves nothing that it has stored: others were told that all who live have followed', async () => {
    const [late, other] = [start('late', { isCut: true }), start('other')]
    await clock.advanceAsync(BLIND_MS / 4)
    expect(await read(late)).toMatchObject({ data: 1, cached: false })
    version = 2
    const told = other.cache.invalidate({ tags: ['t'] })
    await clock.advanceAsync(20)
    expect((await told).nodes).toEqual({ expected: 1, acknowledged: 1 })

    for (let i = 0; i < 20; i += 1) {
      await clock.advanceAsync(5)
      expect((await read(late)).data).toBe(2)
    }
    expect(late.cache.peek('k')).toBeUndefined()
    late.isCut = false
    await clock.advanceAsync(BLIND_MS / 2)
    await read(late)
    expect(await read(late)).toMatchObject({ data: 2, cached: true })
  })

  it('does not say that all have followed, for it does not know who there is', async () => {
    const [late, other] = [start('late', { isCut: true }), start('other')]
    const told = late.cache.invalidate({ tags: ['t'] })
    await clock.advanceAsync(BLIND_MS * 2)

    expect(await told).toMatchObject({ token: '.?', nodes: { expected: 2, acknowledged: 1 } })
    const nothing = [late.cache.invalidate({ urls: ['http://shop/'] }), late.cache.invalidate({ tags: ['t'], dryRun: true })]
    for (const { nodes } of await Promise.all(nothing)) expect(nodes).toEqual({ expected: 2, acknowledged: 1 })
    late.isCut = false
    await clock.advanceAsync(BLIND_MS * 2)
    expect((await other.cache.invalidate({ tags: ['t'], dryRun: true })).nodes).toEqual({ expected: 2, acknowledged: 1 })
    const all = other.cache.invalidate({ tags: ['t'] })
    await clock.advanceAsync(20)
    expect((await all).nodes).toEqual({ expected: 2, acknowledged: 2 })
  })

  it('shares its loads all the same', async () => {
    const late = start('late', { isCut: true })
    const answers = Promise.all([read(late), read(late), read(late)])
    await clock.advanceAsync(50)
    expect((await answers).map(({ data }) => data)).toEqual([1, 1, 1])
    expect(loads).toBe(1)
  })

  it('does what its policy says once the log could not be reached for as long as silence is trusted', async () => {
    const [giving, strict] = [start('a', { isCut: true }), start('b', { isCut: true, policy: 'miss' })]
    await clock.advanceAsync(BLIND_MS * 1.5)
    await read(giving)
    await read(strict)

    expect((await read(giving)).cached).toBe(true)
    expect((await read(strict)).cached).toBe(false)
  })

  it('is late once: who has lost the log serves on by its policy', async () => {
    const one = start('one')
    await clock.advanceAsync(BLIND_MS)
    await read(one)
    one.isCut = true
    await clock.advanceAsync(BLIND_MS * 3)

    expect(one.cache.engine.shared?.isBlind).toBe(true)
    expect((await read(one)).cached).toBe(true)
  })
})
