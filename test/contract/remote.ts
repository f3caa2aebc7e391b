/**
 * What every second level must do, whatever holds it; run by remote.test.ts against a model, one Redis and a cluster.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import type { Clock } from '../../src/model/clock.ts'
import type { RemotePort, RemoteWrite } from '../../src/tier/remote-port.ts'

/** A store under test. */
export interface RemoteStand {
  readonly remote: RemotePort
  readonly clock: Clock
  /** Lets time pass, for the process and the store. */
  wait(ms: number): Promise<void>
  /** How much too old an age may come out, ms. */
  readonly slackMs: number
}

const DEADLINE_MS = 2000
const BODY = Buffer.from([0xfc, 1, 0, 255, 0, 13, 10])

/** Declares the suite. */
export function remoteContract(name: string, open: () => Promise<RemoteStand>): void {
  describe(`a second level in ${name}`, () => {
    let stand: RemoteStand
    let next = 0

    beforeAll(async () => {
      stand = await open()
    }, 60_000)

    /** A key of its own for each test, and an entry for it read just now. */
    function entry(given: Partial<RemoteWrite> = {}): RemoteWrite {
      next += 1
      const now = stand.clock.now()
      return { key: `key:${next}`, generation: 'log-a', asOf: 5, storedAt: now, endsAt: now + 60_000, envelope: BODY, ...given }
    }

    async function read(key: string): ReturnType<RemotePort['readMany']> {
      return stand.remote.readMany([key], DEADLINE_MS)
    }

    it('gives what was written, with its stamp and its age', async () => {
      const item = entry({ storedAt: stand.clock.now() - 1000 })

      expect(await stand.remote.write(item, DEADLINE_MS)).toBe('written')

      const [found] = await read(item.key)
      expect(found).toMatchObject({ generation: 'log-a', asOf: 5 })
      expect(Buffer.from(found?.envelope ?? [])).toEqual(BODY)
      const tooOldMs = item.storedAt - (found?.storedAt ?? 0)
      expect(tooOldMs).toBeGreaterThanOrEqual(0)
      expect(tooOldMs).toBeLessThanOrEqual(stand.slackMs)
    })

    it('lets an entry grow older by as much as time passes', async () => {
      const item = entry()
      await stand.remote.write(item, DEADLINE_MS)
      await stand.wait(120)

      const [found] = await read(item.key)

      const ageMs = stand.clock.now() - (found?.storedAt ?? 0)
      expect(ageMs).toBeGreaterThanOrEqual(120)
      expect(ageMs).toBeLessThanOrEqual(120 + stand.slackMs + 100)
    })

    it('gives many keys in the order asked, with gaps where nothing stands', async () => {
      const items = Array.from({ length: 150 }, () => entry())
      await Promise.all(items.map((item) => stand.remote.write(item, DEADLINE_MS)))
      const keys = items.flatMap(({ key }) => [key, `${key}:absent`])

      const found = await stand.remote.readMany(keys, DEADLINE_MS)

      expect(found.map((one) => one !== undefined)).toEqual(keys.map((_, i) => i % 2 === 0))
    })

    it('does not let a reading of an earlier place of the log replace one of a later place', async () => {
      const later = entry({ asOf: 9, storedAt: stand.clock.now() - 5000 })
      await stand.remote.write(later, DEADLINE_MS)

      const done = await stand.remote.write({ ...later, asOf: 8, storedAt: stand.clock.now() }, DEADLINE_MS)

      expect(done).toBe('older')
      expect((await read(later.key))[0]?.asOf).toBe(9)
    })

    it('lets a writer add to his own entry, though he reads the clock of the store a little differently by then', async () => {
      const first = entry()
      await stand.remote.write(first, DEADLINE_MS)

      expect(await stand.remote.write({ ...first, storedAt: first.storedAt - 50 }, DEADLINE_MS)).toBe('written')
    })

    it('does not let a reading that began earlier replace one of the same place that began later', async () => {
      const later = entry()
      await stand.remote.write(later, DEADLINE_MS)

      expect(await stand.remote.write({ ...later, storedAt: later.storedAt - 500 }, DEADLINE_MS)).toBe('older')
      expect(await stand.remote.write({ ...later, envelope: Buffer.from('again') }, DEADLINE_MS)).toBe('written')
    })

    it('compares places as numbers', async () => {
      const item = entry({ asOf: 9 })
      await stand.remote.write(item, DEADLINE_MS)

      expect(await stand.remote.write({ ...item, asOf: 10 }, DEADLINE_MS)).toBe('written')
      expect(await stand.remote.write({ ...item, asOf: Number.MAX_SAFE_INTEGER }, DEADLINE_MS)).toBe('written')
      expect((await read(item.key))[0]?.asOf).toBe(Number.MAX_SAFE_INTEGER)
    })

    it('lets an entry of another log be replaced, whatever its place', async () => {
      const item = entry({ asOf: 1000 })
      await stand.remote.write(item, DEADLINE_MS)

      expect(await stand.remote.write({ ...item, generation: 'log-b', asOf: 1 }, DEADLINE_MS)).toBe('written')
      expect((await read(item.key))[0]).toMatchObject({ generation: 'log-b', asOf: 1 })
    })

    it('has nothing left when the budget has ended', async () => {
      const now = stand.clock.now()
      const item = entry({ storedAt: now - 100, endsAt: now + 80 })
      await stand.remote.write(item, DEADLINE_MS)
      await stand.wait(200)

      expect(await read(item.key)).toEqual([undefined])
    })

    it('does not write what has ended already', async () => {
      const now = stand.clock.now()

      expect(await stand.remote.write(entry({ storedAt: now - 1000, endsAt: now - 1 }), DEADLINE_MS)).toBe('expired')
    })

    it('neither writes nor gives what is too large', async () => {
      expect(await stand.remote.write(entry({ envelope: Buffer.alloc(1024 * 1024 + 1) }), DEADLINE_MS)).toBe('unsure')
    })

    it('keeps keys apart, whatever characters they have', async () => {
      const keys = ['http://h/a?b={c}', '{}', 'ä ö\n', 'k'.repeat(5000), `${'k'.repeat(5000)}2`, 'a b', '\u0000']
      for (const key of keys) await stand.remote.write(entry({ key, envelope: Buffer.from(key) }), DEADLINE_MS)

      const found = await stand.remote.readMany(keys, DEADLINE_MS)

      expect(found.map((one) => Buffer.from(one?.envelope ?? []).toString())).toEqual(keys)
    })

    it('has nothing under a key that was deleted', async () => {
      const [a, b] = [entry(), entry()]
      await stand.remote.write(a, DEADLINE_MS)
      await stand.remote.write(b, DEADLINE_MS)

      await stand.remote.delete([a.key, 'never written'], DEADLINE_MS)

      expect((await stand.remote.readMany([a.key, b.key], DEADLINE_MS)).map((one) => one !== undefined)).toEqual([false, true])
    })
  })
}
