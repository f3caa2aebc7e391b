/**
 * What every link between fences promises, whatever carries it; run by link.test.ts against each of them.
 */
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { FenceLink, LinkDraft, LinkReceiver, LinkRecord } from '../../src/model/link.ts'

/** A member and all that it was told. */
export class Member implements LinkReceiver {
  readonly link: FenceLink
  readonly told: string[] = []
  readonly sources: string[] = []
  /** Places of what it published itself. */
  readonly reached: number[] = []
  /** Places of what it was told or published, in the order in which it was told of them. */
  readonly places: number[] = []
  isBlind = false
  renewed = 0
  /** Entries that each record names here. */
  matches = 0

  constructor(link: FenceLink) {
    this.link = link
    link.start(this)
  }

  apply(record: LinkRecord): number {
    this.sources.push(record.source)
    this.places.push(record.sequence)
    this.told.push(...record.targets.map((target) => JSON.stringify(target)))
    return this.matches
  }

  reach(sequence: number): void {
    this.reached.push(sequence)
    this.places.push(sequence)
  }

  blind(): void {
    this.isBlind = true
  }

  see(): void {
    this.isBlind = false
  }

  prove(): void {
    this.isBlind = false
  }

  doubt(): void {}

  renew(): void {
    this.renewed += 1
  }

  /** What stood in the log before it came is no part of a test. */
  forget(): void {
    for (const list of [this.told, this.sources, this.reached, this.places]) list.length = 0
  }
}

/** Servers on a busy machine take their time. */
const STARTS_WITHIN_MS = 90_000

/** Where members meet. */
export interface LinkStand {
  readonly blindAfterMs: number
  /** Its members wait for a real machine: answers may be so late that nobody is sure who the members are. */
  readonly isReal: boolean
  /** Takes in a member; resolves when it sees. */
  join(): Promise<Member>
  /** Waits until it is so, at most about 8 s of the stand's own time. */
  until(condition: () => boolean): Promise<void>
  wait(ms: number): Promise<void>
  /** The member hears and says nothing until `mend`. */
  silence(member: Member): void
  mend(member: Member): void
  /** The log loses everything; undefined: this one cannot. */
  lose?: (() => Promise<void>) | undefined
  /** Only the last so many records can be had; undefined: this one keeps none. */
  trim?: ((keep: number) => Promise<void>) | undefined
  close(): Promise<void>
}

export function draft(name: string): LinkDraft {
  return { targets: [{ kind: 'tag', tag: name }], soft: false, source: name, rules: 0 }
}

/** The suite. @param start what all its tests stand on: not within the time of the first of them */
export function testLink(name: string, open: () => Promise<LinkStand>, start?: () => Promise<unknown>): void {
  describe(`a link over ${name}`, () => {
    if (start !== undefined) beforeAll(start, STARTS_WITHIN_MS)
    let stand: LinkStand | undefined
    afterEach(async () => {
      await stand?.close()
      stand = undefined
    })
    async function gather(members: number): Promise<[LinkStand, ...Member[]]> {
      stand = await open()
      const joined: Member[] = []
      for (let i = 0; i < members; i += 1) joined.push(await stand.join())
      return [stand, ...joined]
    }
    async function done(at: LinkStand, promise: Promise<unknown>): Promise<void> {
      let isDone = false
      void promise.then(() => (isDone = true))
      await at.until(() => isDone)
      expect(isDone).toBe(true)
    }

    it('tells every member every record, in one order', async () => {
      const [at, a, b, c] = (await gather(3)) as [LinkStand, Member, Member, Member]
      const all = []
      for (let i = 0; i < 50; i += 1) all.push((i % 2 === 0 ? a : b).link.publish(draft(`r${i}`)))
      await done(at, Promise.all(all))
      await at.until(() => [a, b, c].every(({ places }) => places.length === 50))
      for (const { places } of [a, b, c]) expect(places).toEqual([...c.places].sort((x, y) => x - y))
      expect(new Set(c.sources).size).toBe(50)
      expect(a.sources).toEqual(c.sources.filter((source) => Number(source.slice(1)) % 2 === 1))
    })

    it('does not tell a member of its own records, but where they stand', async () => {
      const [at, a, b] = (await gather(2)) as [LinkStand, Member, Member]
      const settled = a.link.publish(draft('x'))
      await done(at, settled)
      expect(a.sources).toEqual([])
      expect(a.reached).toEqual([(await settled).sequence])
      expect(b.sources).toEqual(['x'])
    })

    it('says who has applied a record, and what it named there', async () => {
      const [at, a, b, c] = (await gather(3)) as [LinkStand, Member, Member, Member]
      ;[b.matches, c.matches] = [2, 5]
      const settled = a.link.publish(draft('x'))
      await done(at, settled)
      expect(await settled).toMatchObject({ expected: 3, acknowledged: 3, matched: 7 })
      expect((await settled).sequence).toBeGreaterThan(0)
    })

    it('settles at once for one who is alone', async () => {
      const [at, a] = (await gather(1)) as [LinkStand, Member]
      const settled = a.link.publish(draft('x'))
      await done(at, settled)
      expect(await settled).toMatchObject({ expected: 1, acknowledged: 1, matched: 0 })
    })

    it('tells a late member what is said from then on, and waits for it', async () => {
      const [at, a] = (await gather(1)) as [LinkStand, Member]
      await done(at, a.link.publish(draft('before')))
      const late = await at.join()
      const settled = a.link.publish(draft('after'))
      await done(at, settled)
      await at.until(() => late.sources.at(-1) === 'after')
      expect(late.sources.at(-1)).toBe('after')
      expect(await settled).toMatchObject({ expected: 2, acknowledged: 2 })
    })

    it('answers in bounded time while a member is silent, and says so', async () => {
      const [at, a, b, c] = (await gather(3)) as [LinkStand, Member, Member, Member]
      at.silence(c)
      const settled = a.link.publish(draft('x'))
      await done(at, settled)
      const { expected, acknowledged } = await settled
      const heard = b.sources.length
      await at.until(() => b.sources.length > 0)
      expect(b.sources).toEqual(['x'])
      expect(c.sources).toEqual([])
      expect(acknowledged).toBeLessThanOrEqual(1 + heard)
      // The silent one, unless it is taken for dead by then; and one more where somebody may be missing from the list of members.
      expect(expected - acknowledged).toBeLessThanOrEqual(at.isReal ? 2 + (1 - heard) : 1)
    })

    it('tells a member that hears nothing that it is blind, and what it missed once it hears again', async () => {
      const [at, a, b] = (await gather(2)) as [LinkStand, Member, Member]
      at.silence(b)
      await at.until(() => b.isBlind)
      expect(b.isBlind).toBe(true)
      const settled = a.link.publish(draft('missed'))
      await done(at, settled)
      at.mend(b)
      await at.until(() => !b.isBlind)
      expect(b.isBlind).toBe(false)
      expect(b.sources).toEqual(['missed'])
    })

    it('does not make a member blind while nothing happens', async () => {
      const [at, a, b] = (await gather(2)) as [LinkStand, Member, Member]
      await at.wait(at.blindAfterMs * 3)
      expect([a.isBlind, b.isBlind]).toEqual([false, false])
    })

    it('forgets nothing that was published while the log was out of reach', async () => {
      const [at, a, b] = (await gather(2)) as [LinkStand, Member, Member]
      at.silence(a)
      await at.until(() => a.isBlind)
      const settled = a.link.publish(draft('kept'))
      await done(at, settled)
      expect((await settled).sequence).toBe(0)
      expect([...(a.link.pending?.() ?? [])].length).toBeLessThanOrEqual(1)
      at.mend(a)
      await at.until(() => b.sources.includes('kept'))
      expect(b.sources).toContain('kept')
    })

    it('catches up with a place on demand', async () => {
      const [at, a, b] = (await gather(2)) as [LinkStand, Member, Member]
      if (b.link.catchUp === undefined) return
      const settled = a.link.publish(draft('x'))
      await done(at, settled)
      const caught = b.link.catchUp((await settled).sequence, at.blindAfterMs)
      await done(at, caught)
      expect(await caught).toBe(true)
      const beyond = b.link.catchUp((await settled).sequence + 5, at.blindAfterMs)
      await done(at, beyond)
      expect(await beyond).toBe(false)
    })

    it('begins anew under another name when the log has lost what it held', async () => {
      const [at, a, b] = (await gather(2)) as [LinkStand, Member, Member]
      if (at.lose === undefined) return
      await done(at, a.link.publish(draft('x')))
      const { generation } = a.link
      const renewed = [a.renewed, b.renewed]
      await at.lose()
      await at.until(() => a.renewed > (renewed[0] as number) && b.renewed > (renewed[1] as number) && !a.isBlind && !b.isBlind)
      expect(a.link.generation).not.toBe(generation)
      expect(b.link.generation).toBe(a.link.generation)
      const settled = a.link.publish(draft('y'))
      await done(at, settled)
      expect(b.sources.at(-1)).toBe('y')
    })

    it('begins anew when the log was trimmed past it', async () => {
      const [at, a, b] = (await gather(2)) as [LinkStand, Member, Member]
      if (at.trim === undefined) return
      at.silence(b)
      await at.until(() => b.isBlind)
      for (let i = 0; i < 10; i += 1) void a.link.publish(draft(`r${i}`))
      await at.until(() => a.reached.length === 10)
      await at.trim(3)
      const before = b.renewed
      at.mend(b)
      await at.until(() => !b.isBlind)
      expect(b.renewed).toBe(before + 1)
      expect(b.sources).toEqual(['r7', 'r8', 'r9'])
    })
  })
}
