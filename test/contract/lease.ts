/**
 * What every store of leases must do, and what processes do with it; run by lease.test.ts against a model, one Redis and a
 * cluster.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import type { Clock } from '../../src/model/clock.ts'
import { createRandom } from '../../src/model/random.ts'
import type { LeaseBell, LeaseStore } from '../../src/tier/lease-store.ts'
import { type LeasePlace, Leases } from '../../src/tier/leases.ts'
import type { Waiter } from '../../src/tier/lease-wait.ts'
import type { Lease } from '../../src/tier/lease.ts'

/** A store under test. */
export interface LeaseStand {
  /** One more member of the same store. */
  open(): LeaseStore
  readonly clock: Clock
  /** Lets time pass, for processes and the store. */
  wait(ms: number): Promise<void>
  /** Waits for a promise while time passes. */
  settle<T>(promise: Promise<T>): Promise<T>
}

const DEADLINE_MS = 1000
const LEASE_MS = 400

/** Declares the suite. */
export function leaseContract(name: string, start: () => Promise<LeaseStand>): void {
  describe(`leases in ${name}`, () => {
    let stand: LeaseStand
    let next = 0

    beforeAll(async () => {
      stand = await start()
    }, 60_000)

    const newName = (): string => `name-${(next += 1)}`
    const claim = (store: LeaseStore, given: { over?: string; leaseMs?: number } = {}) => ({
      token: `${store.member}.${(next += 1)}`,
      stamp: 'log.7',
      leaseMs: LEASE_MS,
      over: '',
      ...given,
    })

    function member(given: { waitMs?: number } = {}): Leases {
      return new Leases({
        store: stand.open(),
        clock: stand.clock,
        random: createRandom(5),
        leaseMs: LEASE_MS,
        waitMs: given.waitMs ?? 5000,
        maxHoldMs: 60_000,
        deadlineMs: DEADLINE_MS,
        onCount: () => {},
      })
    }

    const ask = (leases: Leases, key: string, isDead = false): Promise<LeasePlace> =>
      stand.settle(leases.ask({ name: key, stamp: 'log.7', isDead: () => isDead }))

    async function hold(leases: Leases, key: string): Promise<Lease> {
      const place = await ask(leases, key)
      if (place.role !== 'hold') throw new Error(`expected to hold ${key}, but was to ${place.role}`)
      return place.lease
    }

    async function waitFor(leases: Leases, key: string): Promise<Waiter> {
      const place = await ask(leases, key)
      if (place.role !== 'wait') throw new Error(`expected to wait for ${key}, but was to ${place.role}`)
      return place.waiter
    }

    it('gives a lease to one, and tells the other who has it and for how long', async () => {
      const [a, b, key] = [stand.open(), stand.open(), newName()]
      const mine = claim(a)

      expect(await stand.settle(a.ask(key, mine, DEADLINE_MS))).toEqual({ isHeld: true, wasReleased: false })
      const answer = await stand.settle(b.ask(key, claim(b), DEADLINE_MS))

      expect(answer).toMatchObject({ isHeld: false, token: mine.token, stamp: 'log.7' })
      expect(answer.isHeld ? 0 : answer.leftMs).toBeGreaterThan(0)
      expect(answer.isHeld ? 0 : answer.leftMs).toBeLessThanOrEqual(LEASE_MS)
    })

    it('does nothing to a lease for who does not hold it', async () => {
      const [a, b, key] = [stand.open(), stand.open(), newName()]
      const mine = claim(a)
      await stand.settle(a.ask(key, mine, DEADLINE_MS))
      const other = { name: key, token: `${b.member}.9` }

      expect(await stand.settle(b.extend(other, LEASE_MS, DEADLINE_MS))).toEqual({ isHeld: false, waiting: 0 })
      expect(await stand.settle(b.release(other, 'stored', DEADLINE_MS))).toBe(false)
      const piece = { first: 1, frames: [{ kind: 1, data: Buffer.from('x') }], keepMs: 1000 }
      expect(await stand.settle(b.publish(other, piece, DEADLINE_MS))).toBe(false)
      expect(await stand.settle(a.extend({ name: key, token: mine.token }, LEASE_MS, DEADLINE_MS))).toMatchObject({
        isHeld: true,
      })
    })

    it('lets a lease end by itself after its time, and live on while it is renewed', async () => {
      const [a, b, c, key] = [stand.open(), stand.open(), stand.open(), newName()]
      const mine = claim(a)
      await stand.settle(a.ask(key, mine, DEADLINE_MS))
      await stand.wait(LEASE_MS * 0.7)
      await stand.settle(a.extend({ name: key, token: mine.token }, LEASE_MS, DEADLINE_MS))
      await stand.wait(LEASE_MS * 0.7)
      expect(await stand.settle(b.ask(key, claim(b), DEADLINE_MS))).toMatchObject({ isHeld: false })

      await stand.wait(LEASE_MS)

      expect(await stand.settle(c.ask(key, claim(c), DEADLINE_MS))).toEqual({ isHeld: true, wasReleased: false })
      expect(await stand.settle(a.release({ name: key, token: mine.token }, 'stored', DEADLINE_MS))).toBe(false)
    })

    it('says for a while that a lease was released, so that who asks looks at the second level first', async () => {
      const [a, b, key] = [stand.open(), stand.open(), newName()]
      const mine = claim(a)
      await stand.settle(a.ask(key, mine, DEADLINE_MS))
      await stand.settle(a.release({ name: key, token: mine.token }, 'stored', DEADLINE_MS))

      expect(await stand.settle(b.ask(key, claim(b), DEADLINE_MS))).toEqual({ isHeld: true, wasReleased: true })
    })

    it('lets a named holder be gone over, and no other', async () => {
      const [a, b, c, key] = [stand.open(), stand.open(), stand.open(), newName()]
      const mine = claim(a)
      await stand.settle(a.ask(key, mine, DEADLINE_MS))
      const over = claim(b, { over: mine.token })

      expect(await stand.settle(b.ask(key, over, DEADLINE_MS))).toMatchObject({ isHeld: true })
      expect(await stand.settle(c.ask(key, claim(c, { over: mine.token }), DEADLINE_MS))).toMatchObject({
        isHeld: false,
        token: over.token,
      })
      expect(await stand.settle(a.extend({ name: key, token: mine.token }, LEASE_MS, DEADLINE_MS))).toMatchObject({
        isHeld: false,
      })
    })

    it('rings the holder for the first that waits, and who waits for what comes and for the end', async () => {
      const [a, b, key] = [stand.open(), stand.open(), newName()]
      const [heardA, heardB]: [LeaseBell[], LeaseBell[]] = [[], []]
      await stand.settle(
        a.listen(
          (bell) => heardA.push(bell),
          () => {},
        ),
      )
      await stand.settle(
        b.listen(
          (bell) => heardB.push(bell),
          () => {},
        ),
      )
      const mine = claim(a)
      const own = { name: key, token: mine.token }
      await stand.settle(a.ask(key, mine, DEADLINE_MS))
      await stand.settle(b.ask(key, claim(b), DEADLINE_MS))
      const piece = { first: 1, frames: [{ kind: 3, data: Buffer.from([0, 255, 13, 10]) }], keepMs: 1000 }
      await stand.settle(a.publish(own, piece, DEADLINE_MS))
      const read = await stand.settle(b.read(own, 0, DEADLINE_MS))
      await stand.settle(a.release(own, 'alone', DEADLINE_MS))
      await stand.wait(50)

      expect(heardA).toMatchObject([{ kind: 'awaited', name: key, token: mine.token }])
      expect(heardB).toMatchObject([
        { kind: 'frames', token: mine.token },
        { kind: 'over', token: mine.token, outcome: 'alone' },
      ])
      expect(read.first).toBe(1)
      expect(read.frames.map(({ kind, data }) => [kind, ...data])).toEqual([[3, 0, 255, 13, 10]])
      expect(read.ageMs).toBeGreaterThanOrEqual(0)
      expect(read.ageMs).toBeLessThan(5000)
    })

    it('keeps a bounded number of frames, and shows that some are gone', async () => {
      const [a, key] = [stand.open(), newName()]
      const mine = claim(a)
      const own = { name: key, token: mine.token }
      await stand.settle(a.ask(key, mine, DEADLINE_MS))
      const frames = Array.from({ length: 70 }, (_, i) => ({ kind: 2, data: Buffer.from([i]) }))
      await stand.settle(a.publish(own, { first: 1, frames, keepMs: 5000 }, DEADLINE_MS))

      const read = await stand.settle(a.read(own, 0, DEADLINE_MS))

      expect(read.first).toBe(7)
      expect(read.frames.map(({ data }) => data[0])).toEqual(frames.slice(6).map(({ data }) => data[0]))
    })

    it('wakes everybody who waits when it is released', async () => {
      const [holder, ...others] = Array.from({ length: 5 }, () => member()) as [Leases, ...Leases[]]
      const key = newName()
      const lease = await hold(holder, key)
      const waiters = await Promise.all(others.map((one) => waitFor(one, key)))
      await stand.wait(30)

      lease.release('stored')

      const events = await stand.settle(Promise.all(waiters.map((waiter) => waiter.next())))
      expect(events).toEqual(waiters.map(() => ({ kind: 'over', outcome: 'stored' })))
      expect(holder.held + others.reduce((sum, one) => sum + one.waiting, 0)).toBe(0)
    })

    it('renews a lease while its load runs, whatever that takes', async () => {
      const [holder, other] = [member(), member()]
      const key = newName()
      const lease = await hold(holder, key)
      const waiter = await waitFor(other, key)

      await stand.wait(LEASE_MS * 3)

      expect(lease.isLost).toBe(false)
      lease.release('stored')
      expect(await stand.settle(waiter.next())).toEqual({ kind: 'over', outcome: 'stored' })
    })

    it('gives a dead holder exactly one successor, within one lease time', async () => {
      const others = Array.from({ length: 4 }, () => member())
      const [dead, key] = [stand.open(), newName()]
      await stand.settle(dead.ask(key, claim(dead), DEADLINE_MS)) // and never a word again
      const diedAt = stand.clock.now()
      const waiters = await Promise.all(others.map((one) => waitFor(one, key)))

      const first = await stand.settle(Promise.race(waiters.map((waiter) => waiter.next())))

      expect(first).toMatchObject({ kind: 'hold', wasReleased: false })
      expect(stand.clock.now() - diedAt).toBeLessThan(LEASE_MS + 300)
      await stand.wait(LEASE_MS)
      expect(others.reduce((sum, one) => sum + one.held, 0)).toBe(1)
      if (first.kind === 'hold') first.lease.release('stored')
      await stand.wait(50)
      expect(others.reduce((sum, one) => sum + one.waiting, 0)).toBe(0)
    })

    it('lets one of those who wait take a lease that was given up, at once', async () => {
      const [holder, ...others] = Array.from({ length: 4 }, () => member()) as [Leases, ...Leases[]]
      const key = newName()
      await hold(holder, key)
      const waiters = await Promise.all(others.map((one) => waitFor(one, key)))
      await stand.wait(30)
      const closedAt = stand.clock.now()

      holder.close()

      const first = await stand.settle(Promise.race(waiters.map((waiter) => waiter.next())))
      expect(first.kind).toBe('hold')
      expect(stand.clock.now() - closedAt).toBeLessThan(LEASE_MS)
      if (first.kind === 'hold') first.lease.release('stored')
    })

    it('goes over a holder whose reading is dead', async () => {
      const [holder, other] = [member(), member()]
      const key = newName()
      const lease = await hold(holder, key)

      expect((await ask(other, key, true)).role).toBe('hold')
      await stand.wait(LEASE_MS)
      expect(lease.isLost).toBe(true)
    })

    it('brings what the holder gets to who follows, late or not, in order and before the end', async () => {
      const [holder, early, late] = [member(), member(), member()]
      const key = newName()
      const lease = await hold(holder, key)
      const first = await waitFor(early, key)
      first.follow()
      const awaited = new Promise<void>((resolve) => lease.onAwaited(resolve))
      await stand.settle(awaited)
      await stand.settle(lease.publish([{ kind: 1, data: Buffer.from('head') }]))
      await stand.settle(
        lease.publish([
          { kind: 2, data: Buffer.from('a') },
          { kind: 2, data: Buffer.from('b') },
        ]),
      )
      const second = await waitFor(late, key)
      second.follow()
      await stand.wait(50)
      await stand.settle(lease.publish([{ kind: 3, data: Buffer.from('') }]))
      lease.release('stored')

      for (const waiter of [first, second]) {
        const got: string[] = []
        for (;;) {
          const event = await stand.settle(waiter.next())
          if (event.kind === 'frames') got.push(...event.frames.map(({ kind, data }) => `${kind}${Buffer.from(data).toString()}`))
          else {
            expect(event).toEqual({ kind: 'over', outcome: 'stored' })
            break
          }
        }
        expect(got).toEqual(['1head', '2a', '2b', '3'])
      }
    })

    it('sends who waits too long away', async () => {
      const [holder, other] = [member(), member({ waitMs: LEASE_MS })]
      const key = newName()
      const lease = await hold(holder, key)
      const waiter = await waitFor(other, key)

      expect(await stand.settle(waiter.next())).toEqual({ kind: 'alone', reason: 'late' })
      lease.release('stored')
    })
  })
}
