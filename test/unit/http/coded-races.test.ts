/**
 * What happens while codings are made: invalidations, changes, evictions, in fixed and in random schedules.
 *
 * The codings of the old state are ready and are put beside it only after the invalidation. Whoever asks later must get
 * the new state in every coding: 0 stale.
 */
import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../src/model/random.ts'
import { gzipped, HeldPress, plainText, wordy } from '../../support/coded-origin.ts'
import { DoorStand, type Got, type Script } from '../../support/door-stand.ts'

const KEY = 'http://shop.test/a'
const ACCEPTS = [undefined, 'gzip', 'br', 'zstd', 'gzip, deflate, br, zstd', 'identity;q=0, gzip', 'br;q=0.5, gzip;q=0.2']

/** An origin of numbered states that answers in gzip or plainly, told apart by Accept-Encoding. */
class Origin {
  state = 1
  codes = true
  varies = true
  readonly press = new HeldPress()
  readonly stand = new DoorStand((head) => this.#answer(head.method, head.fields), { compress: true, press: this.press })

  #answer(method: string, asked: { get(name: string): string | undefined }): Script {
    if (method !== 'GET' && method !== 'HEAD') return {}
    const gzip = this.codes && (asked.get('accept-encoding') ?? '').includes('gzip')
    const fields = {
      'cache-control': 'max-age=5, stale-while-revalidate=5',
      'content-type': 'text/html',
      'surrogate-key': 'tag-a',
      etag: `"s${this.state}${gzip ? '-gz' : ''}"`,
      vary: this.varies ? 'Accept-Encoding' : undefined,
    }
    if ((asked.get('if-none-match') ?? '').includes(fields.etag)) return { status: 304, fields }
    const text = wordy(`state ${this.state}`, 2000)
    if (!gzip) return { fields, body: text }
    const coded = gzipped(text)
    return { fields: { ...fields, ...coded.fields }, body: coded.body }
  }

  read(accept?: string, more: Record<string, string | undefined> = {}): Promise<Got> {
    return this.stand.get('/a', { fields: { 'accept-encoding': accept, ...more } })
  }
}

const INVALIDATIONS: Record<string, (origin: Origin) => unknown> = {
  'its key': ({ stand }) => stand.engine.invalidate({ keys: [KEY] }),
  'its URL': ({ stand }) => stand.engine.invalidate({ urls: [KEY] }),
  'a tag': ({ stand }) => stand.engine.invalidate({ tags: ['tag-a'] }),
  'a prefix': ({ stand }) => stand.engine.invalidate({ prefixes: ['http://shop.test/'] }),
  everything: ({ stand }) => stand.engine.invalidate({ all: true }),
  'an unsafe method': ({ stand }) => stand.get('/a', { method: 'PUT', body: 'x' }),
}

describe('compression: invalidated while codings are made', () => {
  for (const [what, invalidate] of Object.entries(INVALIDATIONS)) {
    for (const codes of [true, false]) {
      it(`serves 0 stale after the invalidation of ${what}, the answer ${codes ? 'coded' : 'plain'}`, async () => {
        const origin = new Origin()
        origin.codes = codes
        await origin.read('gzip')
        expect(origin.press.held).toBe(1)

        origin.state = 2
        await invalidate(origin)
        await origin.press.release()

        for (const accept of ACCEPTS) expect(plainText(await origin.read(accept))).toBe(wordy('state 2', 2000))
        while (origin.press.held > 0) await origin.press.release()
        for (const accept of ACCEPTS) expect(plainText(await origin.read(accept))).toBe(wordy('state 2', 2000))
      })
    }
  }

  it('leaves what is newer alone: the old codings come when another response stands', async () => {
    const origin = new Origin()
    await origin.read('gzip')
    origin.state = 2
    await origin.read('gzip', { 'cache-control': 'no-cache' })
    await origin.press.release()
    expect(plainText(await origin.read('gzip'))).toBe(wordy('state 2', 2000))
    await origin.press.release()
    expect(plainText(await origin.read())).toBe(wordy('state 2', 2000))
  })

  it('keeps a soft invalidation: with its codings the response is still to be refreshed', async () => {
    const origin = new Origin()
    origin.codes = false
    await origin.read()
    origin.stand.engine.invalidate({ keys: [KEY], soft: true })
    await origin.press.release()
    expect((await origin.read('br')).cache).toBe('STALE')
  })

  it('puts nothing back that was evicted or cleared meanwhile', async () => {
    const origin = new Origin()
    await origin.read('gzip')
    origin.stand.engine.memory.clear()
    await origin.press.release()
    expect(origin.stand.engine.memory.size).toBe(0)
  })

  it('does nothing once the engine is closed', async () => {
    const origin = new Origin()
    await origin.read('gzip')
    origin.stand.engine.close()
    await origin.press.release()
    expect(origin.stand.engine.memory.size).toBe(0)
  })

  it('serves 0 stale, one body per strong tag and only accepted codings, over random histories (seeds 1 to 300)', async () => {
    const counts = { reads: 0, hits: 0, coded: 0, notModified: 0 }
    for (let seed = 1; seed <= 300; seed += 1) {
      const violations = await runHistory(seed, counts)
      expect(violations, `seed ${seed}`).toEqual([])
    }
    console.log(`compression histories: ${JSON.stringify(counts)}`)
    expect(counts.hits / counts.reads).toBeGreaterThan(0.2)
    expect(Math.min(counts.coded, counts.notModified) / counts.reads).toBeGreaterThan(0.02)
  })
})

async function runHistory(
  seed: number,
  counts: { reads: number; hits: number; coded: number; notModified: number },
): Promise<string[]> {
  const random = createRandom(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const origin = new Origin()
  origin.codes = random() < 0.6
  origin.varies = random() < 0.8
  const violations: string[] = []
  const bodies = new Map<string, string>()
  const states = new Map<string, number>()
  let floor = 1
  const check = (got: Got, accept: string | undefined, asked: string | undefined): void => {
    counts.reads += 1
    if (got.cache === 'HIT' || got.cache === 'STALE') counts.hits += 1
    const tag = got.fields.get('etag') ?? ''
    if (got.status === 304) {
      counts.notModified += 1
      if (asked !== tag) violations.push(`304 names ${tag}, asked for ${asked}`)
      if ((states.get(tag) ?? 0) < floor && got.cache !== 'STALE') violations.push(`304 for ${tag} below ${floor}`)
      return
    }
    const coding = got.fields.get('content-encoding')
    if (coding !== undefined) counts.coded += 1
    if (coding !== undefined && !(accept ?? '').includes(coding) && origin.varies) violations.push(`${coding} for ${accept}`)
    const state = Number(/^state (\d+) /.exec(plainText(got))?.[1])
    if (plainText(got) !== wordy(`state ${state}`, 2000)) violations.push(`torn body in ${coding}`)
    if (state < floor) violations.push(`state ${state} below ${floor} in ${coding ?? 'identity'}, ${got.cache}`)
    const known = bodies.get(tag)
    if (known !== undefined && known !== got.text) violations.push(`two bodies under ${tag}`)
    bodies.set(tag, got.text)
    states.set(tag, state)
  }
  for (let step = 0; step < 60; step += 1) {
    const dice = random()
    if (dice < 0.6) {
      const accept = pick(ACCEPTS)
      const asked = random() < 0.3 && bodies.size > 0 ? pick([...bodies.keys()]) : undefined
      check(await origin.read(accept, { 'if-none-match': asked }), accept, asked)
    } else if (dice < 0.75) await origin.press.release(Math.floor(random() * origin.press.held))
    else if (dice < 0.85) {
      origin.state += 1
      await pick(Object.values(INVALIDATIONS))(origin)
      floor = origin.state
    } else if (dice < 0.95) origin.stand.clock.advance(random() * 7000)
    else origin.stand.engine.invalidate({ keys: [KEY], soft: true })
    await origin.stand.settle()
  }
  while (origin.press.held > 0) await origin.press.release()
  return violations
}
