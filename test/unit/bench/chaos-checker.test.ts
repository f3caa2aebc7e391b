import { describe, expect, it } from 'vitest'
import { type Bounds, check, type Starving } from '../../../bench/chaos/checker.ts'
import { Waits } from '../../../bench/chaos/waits.ts'
import { History, type Read, type Write } from '../../../src/sim/history.ts'

const BOUNDS: Bounds = {
  blindAfterMs: 500,
  blind: 'budget',
  recoverMs: 1000,
  budgetMs: 60_000,
  readMs: 1000,
  writeMs: 2000,
}

/** A history written by hand: time moves where it is told to. */
class Story {
  now = 0
  readonly history = new History(() => this.now)
  readonly supersededAt = new Map<string, number>()

  write(node: string, version: number, given: Partial<Pick<Write, 'token' | 'expected' | 'acknowledged'>> = {}): Write {
    this.supersededAt.set(`k${version - 1}`, this.now)
    const write = this.history.beginWrite({ node, life: 1, key: 'k', version })
    this.now += 1
    Object.assign(write, { token: 'g.1', expected: 2, acknowledged: 2, ...given })
    this.history.end(write)
    return write
  }

  read(node: string, version: number, { tokenOf, tookMs = 1 }: { tokenOf?: Write; tookMs?: number } = {}): Read {
    const read = this.history.beginRead({ node, life: 1, key: 'k', tokenOf })
    this.now += tookMs
    read.version = version
    this.history.end(read)
    return read
  }

  broken(bounds: Partial<Bounds> = {}, finals: readonly Read[] = [], strain?: Starving): string[] {
    const truth = { supersededAt: (key: string, version: number) => this.supersededAt.get(`${key}${version}`) ?? Infinity }
    return check(this.history, truth, {
      bounds: { ...BOUNDS, ...bounds },
      finals,
      ...(strain && { strain }),
    }).map(({ promise }) => promise)
  }
}

describe('the checker of the fault suite', () => {
  it('finds nothing where everybody gives what is newest', () => {
    const story = new Story()
    story.write('a', 1)
    story.read('a', 1)
    story.read('b', 1)

    expect(story.broken()).toEqual([])
  })

  it('finds older data behind an answered invalidation at the same instance, whatever is wrong', () => {
    const story = new Story()
    story.history.trouble('sick')
    story.write('a', 1, { token: 'g.?', expected: 2, acknowledged: 1 })
    story.read('a', 0)

    expect(story.broken()).toEqual(['P1'])
  })

  it('finds older data elsewhere where all are said to have followed, but not where the way was ill and may be served blind', () => {
    const story = new Story()
    const heal = story.history.trouble('sick', 'b')
    story.write('a', 1)
    story.read('b', 0)

    expect(story.broken()).toEqual([])
    expect(story.broken({ blind: 'miss' })).toEqual(['P2'])
    heal()
    story.now += 2000 // too long ago to be out of sight still
    story.read('b', 0)
    expect(story.broken()).toEqual(['P2'])
  })

  it('finds older data of who was counted among those that have followed, whatever he lacks since', () => {
    const story = new Story()
    story.write('a', 1)
    story.now += 10
    story.history.trouble('sick', 'b')
    story.read('b', 0)

    expect(story.broken()).toEqual(['P2'])
  })

  it('finds what one instance does not know after silence could not be trusted any more', () => {
    const story = new Story()
    story.write('a', 1, { acknowledged: 1 })
    story.now += 400
    story.read('b', 0)
    expect(story.broken()).toEqual([])
    story.now += 200
    story.read('b', 0)
    expect(story.broken()).toEqual(['P3'])
  })

  it('finds answers beyond their budget, and below their token', () => {
    const story = new Story()
    const write = story.write('a', 1, { acknowledged: 1 })
    story.read('b', 0, { tokenOf: write })
    expect(story.broken()).toEqual(['P5'])
    story.now += 61_000
    story.history.trouble('sick')
    story.read('b', 0)
    expect(story.broken()).toEqual(['P5', 'P4'])
  })

  it('finds what was answered late or never, but for the time that the instance stood still', () => {
    const story = new Story()
    story.read('a', 0, { tookMs: 1001 })
    expect(story.broken()).toEqual(['P6'])
    const goOn = story.history.trouble('stop', 'b')
    const read = story.history.beginRead({ node: 'b', life: 1, key: 'k', tokenOf: undefined })
    story.now += 5000
    goOn()
    story.now += 10
    story.history.end(read)
    expect(story.broken()).toEqual(['P6'])
    story.history.beginRead({ node: 'a', life: 1, key: 'k', tokenOf: undefined })
    expect(story.broken()).toEqual(['P6', 'P6'])
  })

  it('forgives the time for which a process got no core', () => {
    const story = new Story()
    story.read('a', 0, { tookMs: 3999 })

    expect(story.broken()).toEqual(['P6'])
    expect(story.broken({}, [], starving('a', [0, 3000]))).toEqual([])
    expect(story.broken({}, [], starving('b', [0, 3000]))).toEqual(['P6'])
  })

  it('finds what was acknowledged and lost when all is healed, unless its instance was killed before it had its place', () => {
    const story = new Story()
    story.write('a', 1, { token: 'g.?', acknowledged: 1 })
    const final = story.read('b', 0)

    expect(story.broken({}, [final])).toEqual(['LOST'])
    story.history.trouble('stop', 'a')()
    expect(story.broken({}, [final])).toEqual([])
  })
})

describe('the checker, of instances that got no core', () => {
  it('forgives who may serve blind and was starved, when the others followed without him and when he was asked', () => {
    const strain = starving('b', [0, 1500])
    const story = new Story()
    story.now = 1000
    story.write('a', 1)
    story.read('b', 0)
    story.now += 600
    story.read('b', 0)

    expect(story.broken()).toEqual(['P2', 'P2'])
    expect(story.broken({}, [], strain)).toEqual([])
  })

  it('finds what a starved instance gave where nothing may be served blind', () => {
    const strain = starving('b', [0, 5000])
    for (const blind of ['miss', 'fail'] as const) {
      const story = new Story()
      story.now = 1000
      story.write('a', 1)
      story.read('b', 0)
      story.write('a', 2, { acknowledged: 1 })
      story.now += 600
      story.read('b', 1)

      expect(story.broken({ blind }, [], strain)).toEqual(['P2', 'P3'])
    }
  })

  it('finds what an instance gave that had what it needed while others were starved', () => {
    const strain = starving('c', [0, 5000])
    const story = new Story()
    story.now = 1000
    story.write('a', 1)
    story.read('b', 0)
    story.write('a', 2, { acknowledged: 1 })
    story.now += 600
    story.read('b', 1)

    expect(story.broken({}, [], strain)).toEqual(['P2', 'P3'])
  })

  it('finds older data of a starved instance that was counted among those that have followed', () => {
    const story = new Story()
    story.now = 1000
    story.write('a', 1)
    story.now = 2000
    story.read('b', 0)

    expect(story.broken({}, [], starving('b', [1400, 2100]))).toEqual(['P2'])
  })

  it('finds what was given blind by who was starved, but not lately, or for less than half of the time that silence is trusted', () => {
    const story = new Story()
    story.write('a', 1, { acknowledged: 1 })
    story.now = 2000
    story.read('b', 0)

    expect(story.broken({}, [], starving('b', [1100, 1620]))).toEqual(['P3'])
    expect(story.broken({}, [], starving('b', [1760, 2000]))).toEqual(['P3'])
    expect(story.broken({}, [], starving('b', [1100, 1640]))).toEqual([])
    expect(story.broken({}, [], starving('b', [1740, 2000]))).toEqual([])
  })

  it('does not count the time in which a starved instance stood still: it asked nothing meanwhile', () => {
    const story = new Story()
    const strain = starving('b', [0, 900])
    story.write('a', 1, { acknowledged: 1 })
    story.now = 1000
    const goOn = story.history.trouble('stop', 'b')
    story.now = 5000
    goOn()
    story.now = 5100
    story.read('b', 0)
    expect(story.broken({}, [], strain)).toEqual([])
    story.now = 5500
    story.read('b', 0)
    expect(story.broken({}, [], strain)).toEqual(['P3'])
  })

  it('finds older data at the instance that was told, below a token and beyond the budget, however starved it was', () => {
    const story = new Story()
    story.now = 1000
    const write = story.write('a', 1)
    story.read('a', 0)
    story.read('b', 0, { tokenOf: write })
    story.now = 62_000
    story.read('b', 0)

    expect(story.broken({}, [], starving('', [0, 63_000]))).toEqual(['P1', 'P5', 'P4'])
  })
})

/** One process waited for a core from one moment to another. */
function starving(name: string, [from, to]: readonly [number, number]): Starving {
  const waits = new Waits(0)
  waits.note(name, { pid: 1, from, to, ms: to - from })
  return waits
}
