/**
 * An instance of the library as a process: a small API whose every read goes through `cache.fetch`.
 *
 * Usage: node child.ts, with CHAOS = JSON of ChildOrder. Says its port in one line when it is ready.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pathToFileURL } from 'node:url'

/** What an instance is told. */
export interface ChildOrder {
  /** Checkout whose library is used. */
  readonly root: string
  readonly origin: string
  readonly host: string
  readonly l2: object
  readonly budget: string
}

const { root, origin, host, l2, budget } = JSON.parse(process.env['CHAOS'] ?? '') as ChildOrder
const library = (await import(pathToFileURL(`${root}/src/entry/index.ts`).href)) as typeof import('../../src/entry/index.ts')
const cache = library.createCache({ l2: l2 as { url: string }, budget })

async function read(key: string, token: string | undefined, res: ServerResponse): Promise<void> {
  const options = { tags: [`t-${key}`], ...(token === undefined ? {} : { token }) }
  const { data, cached } = await cache.fetch(key, options, async ({ signal }) => {
    const reply = await fetch(`${origin}/k/${key}`, { signal })
    return (await reply.json()) as { version: number }
  })
  res.writeHead(200, { 'x-cache': cached ? 'HIT' : 'MISS' }).end(JSON.stringify(data))
}

async function invalidate(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  const wish = JSON.parse(Buffer.concat(chunks).toString()) as { tags?: string[]; keys?: string[] }
  res.writeHead(200).end(JSON.stringify(await cache.invalidate(wish)))
}

/** Those that scenarios look at. */
function metrics(): string {
  const { leasesDown = 0, leasesLate = 0, leasesCut = 0 } = cache.stats().counts as Record<string, number>
  const waits = `forecache_lease_waits_total{end="late"} ${leasesLate}\nforecache_lease_waits_total{end="down"} ${leasesCut}\n`
  return `forecache_lease_questions_total{outcome="down"} ${leasesDown}\n${waits}`
}

const server = createServer((req, res) => {
  if (req.url === '/metrics') return void res.end(metrics())
  const token = req.headers['forecache-token'] as string | undefined
  const work = req.method === 'POST' ? invalidate(req, res) : read((req.url ?? '').slice('/k/'.length), token, res)
  work.catch((error: unknown) => res.writeHead(503).end(String(error)))
})
server.keepAliveTimeout = 60_000
server.listen(0, host, () => {
  const { port } = server.address() as AddressInfo
  process.stdout.write(`${JSON.stringify({ msg: 'ready', listen: `${host}:${port}`, api: `${host}:${port}` })}\n`)
})
process.once('SIGTERM', () => {
  server.close()
  void cache.close().then(() => process.exit(0))
})
