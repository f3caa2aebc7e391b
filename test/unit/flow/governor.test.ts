import { describe, expect, it } from 'vitest'
import { Governor, type Governed, type Resident } from '../../../src/flow/governor.ts'
import { ACCOUNT, Ledger } from '../../../src/model/ledger.ts'
import { createMeter } from '../../../src/model/meter.ts'
import { createVirtualClock } from '../../../src/model/virtual-clock.ts'

const MIB = 1024 * 1024
const LIMIT = 64 * MIB
const BASE = 100 * MIB

/** Entries of 4 KiB each, as a tier that evicts by policy. */
class FakeTier implements Governed {
  bytes = 0
  limit = LIMIT
  readonly maxBytes = LIMIT
  sheds = 0

  limitTo(bytes: number, maxEvictions: number): number {
    let evicted = 0
    while (this.bytes > bytes && evicted < maxEvictions) {
      this.bytes -= 4096
      evicted += 1
    }
    this.limit = bytes
    return evicted
  }

  shed(): void {
    this.sheds += 1
  }
}

/** A process whose resident size is its base, what the tier holds, and what a test adds. */
function stand({ collects = true } = {}) {
  const clock = createVirtualClock()
  const meter = createMeter()
  const ledger = new Ledger()
  const memory = new FakeTier()
  const governor = new Governor({ memory, ledger, clock, meter })
  const process = { beyond: 0, garbage: 0, collections: { minor: 0, major: 0 } }
  const read = (): Resident => ({
    rssBytes: BASE + memory.bytes + process.beyond + process.garbage,
    usedBytes: memory.bytes + process.garbage,
  })
  const collect = (whole: boolean): number => {
    process.collections[whole ? 'major' : 'minor'] += 1
    if (whole) process.garbage = 0
    return 20
  }
  const watch = (): void => governor.watch(collects ? { read, collect } : { read })
  const pass = (ms: number): void => {
    for (let at = 0; at < ms; at += 50) clock.advance(50)
  }
  return { clock, meter, ledger, memory, governor, process, watch, pass }
}

describe('governor: entries and ledger share one limit', () => {
  it('leaves to entries what the ledger does not hold', () => {
    const { governor, ledger, memory } = stand()
    memory.bytes = LIMIT

    ledger.charge(ACCOUNT.fills, 16 * MIB)
    for (let i = 0; i < 20; i += 1) governor.admit()

    expect(memory.bytes + ledger.total).toBeLessThanOrEqual(LIMIT)
    ledger.release(ACCOUNT.fills, 16 * MIB)
    governor.admit()
    expect(memory.limit).toBe(LIMIT)
  })

  it('evicts a slice at a time, so that no store waits for thousands of evictions', () => {
    const { governor, ledger, memory } = stand()
    memory.bytes = LIMIT
    ledger.charge(ACCOUNT.fills, 32 * MIB)

    governor.admit()

    expect(LIMIT - memory.bytes).toBe(512 * 4096)
  })

  it('keeps a sixteenth for entries, however much is held elsewhere', () => {
    const { governor, ledger } = stand()
    ledger.charge(ACCOUNT.connections, 10 * LIMIT)
    expect(governor.effectiveBytes).toBe(LIMIT / 16)
  })

  it('reads accounts that are followed before it settles', () => {
    const { governor, ledger } = stand()
    let open = 3
    governor.follow(ACCOUNT.connections, () => open * 5000)

    governor.admit()
    open = 1
    governor.admit()

    expect(ledger.of(ACCOUNT.connections)).toBe(5000)
  })

  it('lets bodies under way hold a quarter, and at least 1 MiB where memory is tiny', () => {
    const { governor } = stand()
    expect(governor.fillBytes).toBe(LIMIT / 4)
    const tiny = new Governor({
      memory: Object.assign(new FakeTier(), { maxBytes: MIB }),
      ledger: new Ledger(),
      clock: createVirtualClock(),
      meter: createMeter(),
    })
    expect(tiny.fillBytes).toBe(MIB)
  })
})

describe('governor: the resident size of a process in its care', () => {
  it('does nothing while the resident size is what limit and base explain', () => {
    const { governor, memory, meter, watch, pass } = stand()
    watch()
    memory.bytes = LIMIT

    pass(60_000)

    expect(governor.state()).toMatchObject({ mood: 'calm', effectiveBytes: LIMIT, baseBytes: BASE, limitBytes: LIMIT })
    expect([memory.bytes, meter.read('shedEntries'), meter.read('shedGarbage')]).toEqual([LIMIT, 0, 0])
  })

  it('takes from the entries what the resident size is beyond its target, until it fits', () => {
    const { governor, memory, process, meter, watch, pass } = stand({ collects: false })
    watch()
    memory.bytes = LIMIT
    process.beyond = 45 * MIB

    pass(20_000)

    const { rssBytes, mood } = governor.state()
    expect(rssBytes).toBeLessThanOrEqual((LIMIT + BASE) * 1.18 + MIB)
    expect(mood).toBe('tight')
    expect(meter.read('shedEntries')).toBeGreaterThan(1000)
    expect(governor.admit()).toBe(true)
  })

  it('leaves a quarter to the entries up to the bound: what the allocator keeps is not theirs to give', () => {
    const { governor, memory, process, watch, pass } = stand({ collects: false })
    watch()
    memory.bytes = LIMIT / 2
    process.beyond = (LIMIT + BASE) * 1.2 - BASE - LIMIT / 4

    pass(60_000)

    expect([governor.effectiveBytes, governor.mood]).toEqual([LIMIT / 4, 'tight'])
  })

  it('collects and stores nothing new past the bound, and forgets what it only remembered', () => {
    const { governor, memory, process, meter, watch, pass } = stand({ collects: false })
    watch()
    process.beyond = 2 * LIMIT

    pass(1000)

    expect(governor.mood).toBe('over')
    expect(governor.admit()).toBe(false)
    expect(governor.fillBytes).toBeLessThanOrEqual(LIMIT / 32)
    expect([memory.sheds, meter.read('shedStores')]).toEqual([1, 1])
  })

  it('comes back step by step when the pressure has gone, without swinging', () => {
    const { governor, process, memory, watch, pass } = stand({ collects: false })
    watch()
    process.beyond = 2 * LIMIT
    pass(10_000)
    const tightest = governor.effectiveBytes

    process.beyond = 0
    memory.bytes = 0
    pass(1000)
    expect(governor.mood).toBe('calm')
    expect(governor.effectiveBytes).toBeLessThan(tightest + LIMIT / 32)
    pass(90_000)
    expect(governor.effectiveBytes).toBe(LIMIT)
  })

  it('changes nothing between relief and target', () => {
    const { governor, process, memory, watch, pass } = stand({ collects: false })
    watch()
    memory.bytes = LIMIT
    process.beyond = 45 * MIB
    pass(20_000)
    process.beyond = (LIMIT + BASE) * 1.16 - BASE - memory.bytes
    pass(500)
    const before = governor.effectiveBytes

    pass(30_000)

    expect([governor.effectiveBytes, governor.mood]).toEqual([before, 'tight'])
  })

  it('collects garbage before it lets entries go for long, all of it at most one part in a hundred of the time', () => {
    const { governor, process, memory, watch, pass } = stand()
    watch()
    memory.bytes = LIMIT
    process.garbage = 40 * MIB
    pass(1000)
    expect([governor.mood, process.garbage]).toEqual(['calm', 0])

    process.beyond = 2 * LIMIT
    for (let i = 0; i < 600; i += 1) {
      process.garbage = 40 * MIB
      pass(100)
    }

    expect(process.collections.major).toBeLessThanOrEqual(1 + 62_000 / 2000)
    expect(process.collections.minor).toBeGreaterThan(10)
  })

  it('ends its watch when the engine is closed', () => {
    const { governor, clock, watch } = stand()
    watch()
    governor.close()
    expect(clock.pending).toBe(0)
    expect(governor.mood).toBe('calm')
  })
})
