import { describe, expect, it } from 'vitest'
import { type Bounds, check, type Starving } from '../../../bench/chaos/checker.ts'
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
    story.write('a', 1)
    story.read('b', 0)

    expect(story.broken()).toEqual(['P2'])
    story.history.trouble('sick', 'b')
    expect(story.broken()).toEqual([])
    expect(story.broken({ blind: 'miss' })).toEqual(['P2'])
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

  it('forgives the time for which a process got no core, and blindness that comes of it where that may be served', () => {
    const starved: Starving = { between: () => 3000, isStarved: (name) => name === 'b' }
    const story = new Story()
    story.read('a', 0, { tookMs: 3999 })
    expect(story.broken()).toEqual(['P6'])
    expect(story.broken({}, [], starved)).toEqual([])
    story.write('a', 1)
    story.read('b', 0)
    expect(story.broken({}, [], starved)).toEqual([])
    expect(story.broken({ blind: 'miss' }, [], starved)).toEqual(['P2'])
    story.read('a', 0)
    expect(story.broken({}, [], starved)).toEqual(['P1'])
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
