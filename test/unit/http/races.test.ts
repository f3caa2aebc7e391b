/**
 * The race matrix: something is invalidated while the origin is being read, on every path that stores.
 *
 * In each case the origin has read the old state before the invalidation and answers after it. Whoever asks later must
 * get the new state: 0 stale.
 */
import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../src/model/random.ts'
import { DoorStand, gate, readReply, type Script, Valve } from '../../support/door-stand.ts'

const KEY = 'http://shop.test/a'
const LIFE = { 'cache-control': 'max-age=10, stale-while-revalidate=100', etag: '"old"', 'surrogate-key': 'tag-a', vary: 'Lang' }
const NEW = { ...LIFE, etag: '"new"' }

/** An origin whose state a test changes, and whose answers it holds back after they were read. */
class Origin {
  state: 'old' | 'new' = 'old'
  hold: Promise<unknown> | undefined
  body: Valve | undefined
  vary = true
  readonly stand = new DoorStand((head) => this.#answer(head.method, head.fields.get('if-none-match'), head.fields.get('range')))

  async #answer(method: string, validator: string | undefined, range: string | undefined): Promise<Script> {
    if (method !== 'GET' && method !== 'HEAD') return {}
    const { state, body } = this // read now, answered later
    const fields = { ...(state === 'old' ? LIFE : NEW), ...(this.vary ? {} : { vary: undefined }) }
    await this.hold
    if (validator === `"${state}"`) return { status: 304, fields }
    if (range !== undefined)
      return { status: 206, fields: { ...fields, 'content-range': 'bytes 0-1/3' }, body: state.slice(0, 2) }
    return { fields, body: body ?? state }
  }
}

type Invalidate = (origin: Origin) => unknown

const INVALIDATIONS: Record<string, Invalidate> = {
  'its key': ({ stand }) => stand.engine.invalidate({ keys: [KEY] }),
  'its URL': ({ stand }) => stand.engine.invalidate({ urls: [KEY] }),
  'a tag': ({ stand }) => stand.engine.invalidate({ tags: ['tag-a'] }),
  'a prefix': ({ stand }) => stand.engine.invalidate({ prefixes: ['http://shop.test/'] }),
  everything: ({ stand }) => stand.engine.invalidate({ all: true }),
  'an unsafe method': ({ stand }) => stand.get('/a', { method: 'PUT', body: 'x' }),
  'an unsafe method elsewhere that names it': async (origin) => {
    const before = origin.stand.respond
    origin.stand.respond = (head, n) => (head.method === 'POST' ? { status: 201, fields: { location: '/a' } } : before(head, n))
    await origin.stand.get('/elsewhere', { method: 'POST', body: 'x' })
  },
}

/** How old state is on its way into the store; resolves when the origin has read it. Returns what lets it arrive. */
type Way = (origin: Origin) => Promise<() => Promise<unknown>>

async function begun(origin: Origin, run: () => Promise<unknown>): Promise<() => Promise<unknown>> {
  const { passed, open } = gate()
  origin.hold = passed
  const done = run()
  await origin.stand.settle()
  origin.hold = undefined
  return async () => {
    open()
    await done
    await origin.stand.settle()
  }
}

async function aged(origin: Origin, ms: number): Promise<void> {
  await origin.stand.get('/a')
  origin.stand.clock.advance(ms)
}

const WAYS: Record<string, Way> = {
  'a foreground load': (origin) => begun(origin, () => origin.stand.get('/a')),
  'a load with followers': (origin) => begun(origin, () => Promise.all([1, 2, 3].map(() => origin.stand.get('/a')))),
  'a load of a client who has gone': (origin) =>
    begun(origin, async () => {
      const client = new AbortController()
      const got = origin.stand.get('/a', { signal: client.signal })
      client.abort(new Error('gone'))
      await got
    }),
  'a streamed fill': async (origin) => {
    const valve = new Valve().push('o')
    origin.body = valve
    const reply = await origin.stand.open('/a')
    origin.body = undefined
    return async () => {
      valve.push('ld').end()
      await readReply(reply)
      await origin.stand.settle()
    }
  },
  'a background revalidation with a new body': async (origin) => {
    await aged(origin, 12_000)
    const arrive = await begun(origin, () => origin.stand.get('/a'))
    return arrive
  },
  'a validation answered 304': async (origin) => {
    await aged(origin, 120_000)
    return begun(origin, () => origin.stand.get('/a'))
  },
  'a forced validation answered 304': async (origin) => {
    await aged(origin, 1000)
    return begun(origin, () => origin.stand.get('/a', { fields: { 'cache-control': 'no-cache' } }))
  },
  'a HEAD that renews': async (origin) => {
    await aged(origin, 120_000)
    return begun(origin, () => origin.stand.get('/a', { method: 'HEAD' }))
  },
  'a range': (origin) => begun(origin, () => origin.stand.get('/a', { fields: { range: 'bytes=0-1' } })),
}

describe('HTTP door: invalidated while the origin is read', () => {
  for (const [way, start] of Object.entries(WAYS)) {
    describe.each(Object.entries(INVALIDATIONS))(`${way}, by %s`, (_, invalidate) => {
      it.each([
        [true, true],
        [true, false],
        [false, true],
        [false, false],
      ])('serves 0 stale afterwards (varying: %s, somebody reads in between: %s)', async (vary, between) => {
        // Arrange: the old state is read, its answer is on the way
        const origin = new Origin()
        origin.vary = vary
        const arrive = await start(origin)

        // Act: the state changes, the invalidation is acknowledged, the old answer arrives
        origin.state = 'new'
        await invalidate(origin)
        const during = between ? origin.stand.get('/a') : undefined
        await arrive()

        // Assert: neither who came between nor who comes later gets the old state, on any path
        expect((await during)?.text ?? 'new').toBe('new')
        expect((await origin.stand.get('/a')).text).toBe('new')
        expect((await origin.stand.get('/a', { fields: { lang: 'de' } })).text).toBe('new')
        expect((await origin.stand.get('/a', { fields: { range: 'bytes=0-1' } })).text).toBe('ne')
        origin.stand.clock.advance(12_000)
        expect((await origin.stand.get('/a')).text).toBe('new')
      })
    })
  }

  it('serves 0 stale over random histories of reads, writes, invalidations and held answers (seeds 1 to 300)', async () => {
    for (let seed = 1; seed <= 300; seed += 1) await history(seed)
  })
})

/** Versions count up; a read that begins after an acknowledged change must not see an older one, fresh or collapsed. */
async function history(seed: number): Promise<void> {
  const random = createRandom(seed)
  const pick = (n: number): number => Math.floor(random() * n)
  let version = 1
  const held: (() => void)[] = []
  const stand = new DoorStand(async (head) => {
    if (head.method === 'POST') {
      version += 1
      return {}
    }
    const read = version
    const validator = head.fields.get('if-none-match')
    if (random() < 0.6) {
      await new Promise<void>((resolve) => {
        held.push(resolve)
      })
    }
    const fields = {
      'cache-control': 'max-age=10, stale-if-error=50',
      etag: `"${read}"`,
      'surrogate-key': 'all',
      vary: pick(3) === 0 ? 'Lang' : undefined,
    }
    return validator === `"${read}"` ? { status: 304, fields } : { fields, body: String(read) }
  })
  const reads: Promise<void>[] = []
  const read = (): void => {
    const floor = version // acknowledged by now
    const fields = { lang: ['de', 'en'][pick(2)], 'cache-control': pick(6) === 0 ? 'no-cache' : undefined }
    reads.push(stand.get('/a', { fields }).then((got) => expect(Number(got.text), `seed ${seed}`).toBeGreaterThanOrEqual(floor)))
  }
  for (let step = 0; step < 40; step += 1) {
    const action = pick(10)
    if (action < 5) read()
    else if (action === 5) await stand.get('/a', { method: 'POST', body: 'x' })
    else if (action === 6) {
      version += 1
      stand.engine.invalidate([{ urls: [KEY] }, { tags: ['all'] }, { keys: [KEY] }, { all: true }][pick(4)] as { all: boolean })
    } else if (action < 9) held.splice(pick(held.length || 1), 1)[0]?.()
    else stand.clock.advance(pick(8000))
    await stand.settle()
  }
  for (let round = 0; round < 50 && held.length > 0; round += 1) {
    for (const go of held.splice(0)) go()
    await stand.settle()
  }
  await Promise.all(reads)
}
