/** Reads of the native cache API through the lane and through the full stack: the same bytes, but for Date. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/model/clock.ts'
import { SILENT } from '../../src/model/port.ts'
import { createRandom } from '../../src/model/random.ts'
import { createApi } from '../../src/server/api.ts'
import { type CacheApiHere, cacheApiHere } from '../support/cache-api-here.ts'
import { RawClient } from '../support/raw-client.ts'
import type { FieldLine } from '../support/raw-message.ts'

const KEYS = ['a-key-of-sixteen-letters', 'another-key-of-the-ring']
const STANDING = ['/cache/text', '/cache/json', '/cache/stale', '/cache/lib', '/cache/te%78t']
const TARGETS = [
  '/cache/text',
  '/cache/json',
  '/cache/stale',
  '/cache/reserve',
  '/cache/none',
  '/cache/lib',
  '/cache/map',
  '/cache/in-shop',
  '/cache/te%78t',
  '/cache/text?namespace=shop',
  '/cache/text?',
  '/cache/text?ttl=1s',
  '/cache/',
  '/cache/%',
  '/cache/a/b',
  '/cache/http%3A%2F%2Fa%2F',
  '/openapi.jso',
  '/livez',
]
const METHODS = ['GET', 'GET', 'GET', 'HEAD', 'OPTIONS']

/** Each list: a choice of lines, or none. */
function choices(etags: readonly string[], token: string): readonly (readonly FieldLine[])[] {
  return [
    [`X-Api-Key: ${KEYS[0]}`, `X-Api-Key: ${KEYS[0]}`, `Authorization: Bearer ${KEYS[1]}`, 'X-Api-Key: wrong-key-0000000'],
    [
      'Accept-Encoding: gzip, br',
      'Accept-Encoding: identity;q=0',
      'Accept-Encoding: gzip;q=0.2, zstd;q=0.1',
      'Accept-Encoding: *;q=0',
    ],
    [
      ...etags.map((tag): FieldLine => `If-None-Match: ${tag}`),
      'If-None-Match: *',
      'If-None-Match: "other"',
      'If-None-Match: W/broken',
    ],
    [`Forecache-Token: ${token}`, 'Forecache-Token: other.1'],
    ['Forecache-Namespace: shop', 'Forecache-Namespace: none', 'Forecache-Namespace: a b'],
    ['Cache-Control: max-stale', 'Cache-Control: no-cache', 'Cache-Control: max-stale=1'],
    ['Connection: close', 'Connection: keep-alive', 'If-Match: "x"', 'Range: bytes=0-1', 'Origin: http://evil.test'],
  ]
}

/** A cache with values in every state, asked through two ports. */
async function setStage(): Promise<{ here: CacheApiHere; lane: number; full: number; etags: string[] }> {
  const here = await cacheApiHere({ api: { keys: KEYS } })
  const { surface, cache, clock } = here
  const lane = createApi({
    endpoints: surface.endpoints,
    contents: surface.contents,
    keys: KEYS,
    insecure: false,
    clock: systemClock(),
    logger: SILENT,
  })
  const { port } = await lane.listen({ host: '127.0.0.1', port: 0 })
  onTestFinished(() => lane.close(0))
  const headers = { 'x-api-key': KEYS[0] as string }
  const put = (target: string, body: string, type: string): Promise<unknown> =>
    here.ask('PUT', target, { body, headers: { ...headers, 'content-type': type } })
  await put('/cache/stale?ttl=1s&stale=1h', 'stale', 'text/plain')
  await put('/cache/reserve?ttl=1s&stale=2s&onError=1h', 'reserve', 'text/plain')
  clock.advance(5000)
  await put('/cache/text?ttl=1h', 'text '.repeat(1000), 'text/plain')
  await put('/cache/json?ttl=1h', JSON.stringify({ a: 'b'.repeat(3000) }), 'application/json')
  await put('/cache/in-shop?namespace=shop', 'in the shop', 'text/plain')
  await cache.set('lib', { from: 'the library' }, { budget: '1h' })
  await cache.set('map', new Map([[1, 2]]), { budget: '1h' })
  const etagOf = async (accept: string): Promise<string> =>
    (await here.ask('GET', '/cache/text', { headers: { ...headers, 'accept-encoding': accept } })).headers.get('etag') ?? ''
  await expect.poll(async () => (await etagOf('zstd, br, gzip')).includes('-')).toBe(true)
  await expect.poll(() => surface.contents.find({ key: 'json', namespace: 0 })?.content.coded.length).toBeGreaterThan(0)
  clock.advance(2500)
  return { here, lane: port, full: here.port, etags: [await etagOf('identity'), await etagOf('gzip')] }
}

/** An answer as bytes, without its Date; and whether the connection stays. */
async function bytesOf(client: RawClient, method: string): Promise<string> {
  const answer = await client.answer(method)
  const lines = answer.lines.filter(([name]) => name.toLowerCase() !== 'date').map(([name, value]) => `${name}: ${value}`)
  return `${answer.status} ${answer.reason}\n${lines.join('\n')}\n\n${answer.text}`
}

describe('native cache API: the lane and the full stack', () => {
  it.each([4001, 4002, 4003])('answer alike, seed %i', async (seed) => {
    const { here, lane, full, etags } = await setStage()
    const random = createRandom(seed)
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
    const lists = choices(etags, here.cache.engine.token())
    let clients = [new RawClient(lane), new RawClient(full)] as const
    let found = 0
    for (let i = 0; i < 600; i += 1) {
      const lines: FieldLine[] = ['Host: localhost']
      lists.forEach((list, at) => {
        if (random() < (at === 0 ? 0.97 : 0.12)) lines.push(pick(list))
      })
      const [method, target] = [pick(METHODS), pick(random() < 0.5 ? STANDING : TARGETS)]
      const answers: string[] = []
      for (const client of clients) answers.push(await bytesOf(client.ask(`${method} ${target}`, lines), method))
      expect(answers[0], `seed ${seed}, ${i}: ${method} ${target}\n${lines.join('\n')}`).toBe(answers[1])
      if (/^(?:200|304) /.test(answers[0] as string)) found += 1
      if (/\nconnection: close/i.test(answers[0] as string)) {
        for (const client of clients) client.destroy()
        clients = [new RawClient(lane), new RawClient(full)]
      }
    }
    for (const client of clients) client.destroy()

    expect(found).toBeGreaterThan(100)
    expect(here.cache.engine.ledger.list().requests).toBe(0)
  })
})
