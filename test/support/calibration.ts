/**
 * What entries are charged, and what V8 holds for them: run with --expose-gc, prints one JSON line per kind of entry.
 *
 * Answers come as a parser makes them: every text anew, bodies in chunks cut from larger buffers. Real is heap and what
 * lies beside it, as it shrinks when the cache goes, tables and all.
 */
import { type Cache, createCache } from '../../src/entry/index.ts'
import { createHttpDoor, type HttpDoor } from '../../src/http/door.ts'
import type { BodySource, OriginPort } from '../../src/model/exchange.ts'
import { Fields } from '../../src/model/fields.ts'

const gc = (globalThis as { gc?: () => void }).gc
if (gc === undefined) throw new Error('run node with --expose-gc')

interface Kind {
  readonly name: string
  readonly entries: number
  readonly bytes: number
  readonly path: (i: number) => string
  readonly fields?: (i: number) => Record<string, string>
  readonly request?: (i: number) => Record<string, string>
}

const plain = (i: number): string => `/api/v1/items?id=${i}`
const KINDS: readonly Kind[] = [
  { name: '200 B', entries: 20_000, bytes: 200, path: plain },
  { name: '1 KB', entries: 20_000, bytes: 1000, path: plain },
  { name: '10 KB', entries: 5000, bytes: 10_000, path: plain },
  { name: '100 KB', entries: 500, bytes: 100_000, path: plain },
  { name: 'long keys', entries: 20_000, bytes: 200, path: (i) => `/api/${'segment/'.repeat(100)}${i}?id=${i}` },
  {
    name: 'ten variants',
    entries: 20_000,
    bytes: 200,
    path: (i) => plain(Math.floor(i / 10)),
    fields: () => ({ vary: 'x-variant' }),
    request: (i) => ({ 'x-variant': `v${i % 10}` }),
  },
  {
    name: 'tags',
    entries: 20_000,
    bytes: 200,
    path: plain,
    fields: (i) => ({ 'surrogate-key': `item:${i} shop:${i % 9} list` }),
  },
]

const slab = Buffer.alloc(64 * 1024, 'x')

/** A text of its own, as a parser makes it. */
const fresh = (text: string): string => Buffer.from(text, 'latin1').toString('latin1')

function originOf(kind: Kind, i: number): OriginPort {
  const given = {
    'cache-control': 'public, max-age=3600',
    'content-type': 'application/json',
    'content-length': String(kind.bytes),
    date: new Date().toUTCString(),
    etag: `"${i}-abcdef"`,
    'last-modified': 'Sat, 21 Nov 2026 10:00:00 GMT',
    'x-request-id': `request-${i}`,
    ...kind.fields?.(i),
  }
  const fields = Fields.fromRaw(Object.entries(given).flatMap((line) => line.map(fresh)))
  return {
    send: () =>
      Promise.resolve({
        head: { status: 200, statusText: 'OK', fields },
        body: chunks(kind.bytes, i),
        trailers: () => undefined,
      }),
  }
}

async function* chunks(bytes: number, mark: number): AsyncGenerator<Uint8Array> {
  let left = bytes
  slab.write(`${mark} `, 'latin1') // no two bodies are equal
  while (left > 0) {
    const taken = Math.min(left, slab.length)
    yield Buffer.from(slab).subarray(0, taken)
    left -= taken
  }
}

async function ask(door: HttpDoor, kind: Kind, i: number): Promise<void> {
  const fields = Fields.from({ host: 'shop.example', ...kind.request?.(i) })
  const head = { method: 'GET', target: fresh(kind.path(i)), scheme: 'http' as const, authority: 'shop.example', fields }
  const reply = await door.handle(head, undefined, { origin: originOf(kind, i), signal: new AbortController().signal })
  if (!(reply.body instanceof Uint8Array)) for await (const chunk of reply.body as BodySource) if (chunk.length === 0) return
}

function held(): number {
  gc?.()
  gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Lets what an answer leaves behind end before anything is read. */
const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50))

/** Fills a cache of its own. */
async function fill(kind: Kind, entries: number): Promise<Cache> {
  const cache = createCache({ memory: { maxBytes: '2GiB' } })
  const door = createHttpDoor({ engine: cache.engine })
  for (let i = 0; i < entries; i += 1) await ask(door, kind, i)
  door.close()
  await rest()
  return cache
}

async function measure(kind: Kind): Promise<void> {
  let cache: Cache | undefined = await fill(kind, kind.entries)
  const { size, bytes } = cache.engine.memory
  const full = held()
  await cache.close()
  cache = undefined // its tables too
  await rest()
  const real = full - held()
  const line = {
    name: kind.name,
    entries: size,
    charged: Math.round(bytes / size),
    real: Math.round(real / size),
    ratio: bytes / real,
  }
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

await (await fill(KINDS[0] as Kind, 3000)).close()
for (const kind of KINDS) await measure(kind)
process.exit(0)
