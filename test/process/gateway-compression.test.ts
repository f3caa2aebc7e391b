/** Codings through the gateway over real sockets: real clients' headers, origins of all sorts, with the lane and without. */
import { createHash } from 'node:crypto'
import { type IncomingHttpHeaders, request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync, inflateSync, zstdDecompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { wordy } from '../support/coded-origin.ts'
import { type GatewayHere, gatewayBefore, originHere, type Wish } from '../support/gateway-here.ts'

/** What clients send in 2026. */
const CLIENTS: Readonly<Record<string, string | undefined>> = {
  chrome: 'gzip, deflate, br, zstd',
  firefox: 'gzip, deflate, br, zstd',
  safari: 'gzip, deflate, br',
  googlebot: 'gzip, deflate, br',
  'curl --compressed': 'deflate, gzip, br, zstd',
  curl: undefined,
  wget: 'identity',
  'python-requests': 'gzip, deflate',
  'go net/http': 'gzip',
  okhttp: 'gzip',
  'java HttpClient': undefined,
  'a player': 'identity;q=1, *;q=0',
  'an odd one': 'br;q=0.1, *;q=0.9, gzip;q=0',
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

function get(port: number, path: string, headers: Record<string, string | undefined> = {}, method = 'GET'): Promise<Answer> {
  const sent = Object.fromEntries(Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined))
  return new Promise((resolve, reject) => {
    const asking = request({ port, path, method, headers: sent, host: '127.0.0.1' }, async (response) => {
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk as Buffer)
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) })
    })
    asking.on('error', reject).end()
  })
}

function unfold({ headers, body }: Answer): string {
  const readers = { gzip: gunzipSync, br: brotliDecompressSync, zstd: zstdDecompressSync, deflate: inflateSync }
  const coding = headers['content-encoding'] as keyof typeof readers | undefined
  return (coding === undefined ? body : readers[coding](body)).toString()
}

/** Whether an answer's coding is one that the client named, or none. */
function isTaken(accept: string | undefined, coding: string | undefined): boolean {
  if (coding === undefined) return true
  return (accept ?? '').split(',').some((one) => one.trim().split(';')[0] === coding) || (accept ?? '').includes('*;q=0.9')
}

async function settled({ gateway }: GatewayHere, made: number): Promise<void> {
  const deadline = Date.now() + 5000
  while (gateway.cache.engine.meter.read('variantsMade') < made) {
    if (Date.now() > deadline) throw new Error('no codings within 5 s')
    await pause(5)
  }
}

const TEXT = wordy('gateway', 20_000)
const FIELDS = { 'cache-control': 'max-age=60', 'content-type': 'application/json', etag: '"g"' }

for (const lane of [true, false]) {
  describe(`gateway: codings, ${lane ? 'with' : 'without'} the lane`, () => {
    const wish: Wish = { lane }

    it('gives every client what it accepts, of one answer of the origin', async () => {
      let asks = 0
      const url = await originHere((_, response) => {
        asks += 1
        response.writeHead(200, FIELDS).end(TEXT)
      })
      const here = await gatewayBefore(url, wish)
      await get(here.port, '/')
      await settled(here, 3)
      for (const [name, accept] of Object.entries(CLIENTS)) {
        const answer = await get(here.port, '/', { 'accept-encoding': accept })
        const coding = answer.headers['content-encoding']
        expect([unfold(answer) === TEXT, isTaken(accept, coding), answer.headers['x-cache']], name).toEqual([true, true, 'HIT'])
        expect(coding === undefined, name).toBe(!/gzip|br/.test(accept ?? ''))
        expect(answer.headers.vary, name).toBe('Accept-Encoding')
        expect(Number(answer.headers['content-length'])).toBe(answer.body.length)
        const again = await get(here.port, '/', { 'accept-encoding': accept, 'if-none-match': answer.headers.etag })
        expect([again.status, again.headers.etag], name).toEqual([304, answer.headers.etag])
        const head = await get(here.port, '/', { 'accept-encoding': accept }, 'HEAD')
        expect([head.headers.etag, head.headers['content-length']]).toEqual([
          answer.headers.etag,
          answer.headers['content-length'],
        ])
      }
      expect(asks).toBe(1)
      expect(here.gateway.cache.engine.meter.read('variantsSavedBytes')).toBeGreaterThan(10_000)
    })

    it('understands origins that code by themselves and select by Accept-Encoding', async () => {
      let asks = 0
      const url = await originHere((incoming, response) => {
        asks += 1
        const accept = incoming.headers['accept-encoding'] ?? ''
        const coding = accept.includes('br') ? 'br' : accept.includes('gzip') ? 'gzip' : undefined
        response.setHeader('vary', 'Accept-Encoding')
        response.setHeader('etag', `"g-${coding ?? 'plain'}"`)
        if (coding !== undefined) response.setHeader('content-encoding', coding)
        response.writeHead(200, { 'cache-control': 'max-age=60', 'content-type': 'text/html' })
        response.end(coding === 'br' ? brotliCompressSync(TEXT) : coding === 'gzip' ? gzipSync(TEXT) : TEXT)
      })
      const here = await gatewayBefore(url, wish)
      await get(here.port, '/', { 'accept-encoding': CLIENTS['chrome'] })
      await settled(here, 3)
      for (const [name, accept] of Object.entries(CLIENTS)) {
        const answer = await get(here.port, '/', { 'accept-encoding': accept })
        expect([unfold(answer) === TEXT, isTaken(accept, answer.headers['content-encoding'])], name).toEqual([true, true])
        expect(answer.headers['x-cache'], name).toBe('HIT')
      }
      expect(asks).toBe(1)
    })

    it('is understood by fetch, which decodes by itself', async () => {
      const url = await originHere((_, response) => void response.writeHead(200, FIELDS).end(TEXT))
      const here = await gatewayBefore(url, wish)
      await get(here.port, '/')
      await settled(here, 3)
      const response = await fetch(`${here.url}/`)
      expect([response.headers.get('content-encoding') !== null, await response.text()]).toEqual([true, TEXT])
    })

    it('resumes a broken download of a coding byte for byte, and never mixes codings', async () => {
      const url = await originHere((_, response) => void response.writeHead(200, FIELDS).end(TEXT))
      const here = await gatewayBefore(url, wish)
      await get(here.port, '/')
      await settled(here, 3)
      for (const accept of ['br', 'gzip', 'identity']) {
        const whole = await get(here.port, '/', { 'accept-encoding': accept })
        const rest = await get(here.port, '/', {
          'accept-encoding': accept,
          range: 'bytes=20-',
          'if-range': whole.headers.etag,
        })
        expect([rest.status, rest.headers.etag]).toEqual([206, whole.headers.etag])
        expect(Buffer.compare(Buffer.concat([whole.body.subarray(0, 20), rest.body]), whole.body)).toBe(0)
        const other = await get(here.port, '/', { 'accept-encoding': accept, range: 'bytes=20-', 'if-range': '"other"' })
        expect([other.status, unfold(other) === TEXT]).toEqual([200, true])
      }
    })

    it('leaves everything as it came when it is turned off', async () => {
      const url = await originHere((_, response) => void response.writeHead(200, FIELDS).end(TEXT))
      const here = await gatewayBefore(url, { ...wish, compress: false })
      await get(here.port, '/')
      const answer = await get(here.port, '/', { 'accept-encoding': 'br' })
      expect([answer.headers['x-cache'], answer.headers['content-encoding'], answer.headers.vary]).toEqual([
        'HIT',
        undefined,
        undefined,
      ])
    })

    it('never delivers what was invalidated, in any coding, while clients write and read (500 rounds)', async () => {
      let state = 0
      const url = await originHere((incoming, response) => {
        if (incoming.method === 'PUT') {
          state += 1
          response.writeHead(204).end()
          return
        }
        response.writeHead(200, { ...FIELDS, etag: `"${state}"` }).end(wordy(`state ${state}`, 6000))
      })
      const here = await gatewayBefore(url, wish)
      const bodies = new Map<string, string>()
      let late = 0
      for (let round = 0; round < 500; round += 1) {
        if (round % 5 === 0) await get(here.port, '/', {}, 'PUT')
        const least = state
        const accepts = ['br', 'gzip', 'zstd', undefined]
        const answers = await Promise.all(accepts.map((accept) => get(here.port, '/', { 'accept-encoding': accept })))
        for (const answer of answers) {
          if (Number(/^state (\d+)/.exec(unfold(answer))?.[1]) < least) late += 1
          const hash = createHash('sha256').update(answer.body).digest('hex')
          const tag = answer.headers.etag as string
          expect(bodies.get(tag) ?? hash).toBe(hash)
          bodies.set(tag, hash)
        }
      }
      expect(late).toBe(0)
      expect(here.gateway.cache.engine.meter.read('variantsMade')).toBeGreaterThan(100)
    })
  })
}
