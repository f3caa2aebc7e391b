import { beforeEach, describe, expect, it } from 'vitest'
import { Engine } from '../../../src/flow/engine.ts'
import { resolveSettings } from '../../../src/flow/options.ts'
import type { LinkReceiver, Settled } from '../../../src/model/link.ts'
import { createVirtualClock } from '../../../src/model/virtual-clock.ts'

const BUDGET = { freshMs: 1000, staleMs: 1000, onErrorMs: 1000 }
const DRAFT = { targets: [{ kind: 'key', key: 'k' }], soft: false, source: 'set', rules: 0 } as const

describe('a plain write on its way to the second level', () => {
  let engine: Engine
  let receiver: LinkReceiver
  let settle: (settled: Settled) => void
  let generation: string
  let offered: unknown[]

  beforeEach(() => {
    offered = []
    generation = 'g'
    engine = new Engine({ ...resolveSettings({}), clock: createVirtualClock(), random: () => 0.5 })
    const stamp = (asOf?: number): object => ({ generation, asOf: asOf ?? 0 })
    const second = { stamp, stamped: <T>(fill: T) => fill, offer: (...given: unknown[]) => offered.push(given), forget: () => {} }
    Object.assign(engine, { second })
    const link = {
      get generation() {
        return generation
      },
      start: (given: LinkReceiver) => {
        receiver = given
        return 0
      },
      publish: () => new Promise<Settled>((resolve) => (settle = resolve)),
    }
    engine.join(link, 'budget')
    engine.keep(engine.write('k'), { value: 'mine', bytes: 4, budget: BUDGET, jitter: 0 })
  })

  async function place(sequence: number): Promise<void> {
    settle({ sequence, expected: 1, acknowledged: 1, matched: 0 })
    await engine.written()
  }

  it('is offered once everything before its place is applied here', async () => {
    receiver.reach(1, DRAFT)
    await place(1)
    expect(offered).toHaveLength(1)
  })

  it('is not while a newer write may stand before it', async () => {
    await place(2)
    expect(offered).toHaveLength(0)
  })

  it('is not where another had written before it in the log', async () => {
    receiver.apply({ ...DRAFT, sequence: 1 })
    receiver.reach(2, DRAFT)
    await place(2)
    expect(offered).toHaveLength(0)
  })

  it('is not in another log than the one that it has its place in', async () => {
    receiver.reach(1, DRAFT)
    generation = 'h'
    await place(1)
    expect(offered).toHaveLength(0)
  })
})
