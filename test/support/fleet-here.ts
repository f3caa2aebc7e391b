/**
 * Gateways as processes of their own over one real Redis, before one origin, asked by clients that name one host.
 */
import { get } from 'node:http'
import { type SpawnedGateway, spawnGateway } from './gateway-spawn.ts'
import { until } from './redis-here.ts'

/** An answer as its client saw it. */
export interface Seen {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
  /** `performance.now()` at the first byte of the body, and at the end. */
  readonly firstAt: number
  readonly endAt: number
  /** Whether it broke off. */
  readonly isBroken: boolean
}

/** @returns gateways that see the shared log */
export async function spawnFleet(count: number, args: readonly string[]): Promise<SpawnedGateway[]> {
  const fleet = await Promise.all(Array.from({ length: count }, () => spawnGateway(args)))
  await until(async () => {
    const seen = await Promise.all(fleet.map(({ apiPort }) => metric(apiPort, 'forecache_link_proofs_total')))
    return seen.every((proofs) => proofs > 1)
  }, 'the gateways to see the log')
  return fleet
}

/** One request; resolves also when it breaks off. */
export function seeOne(port: number, path: string, headers: Readonly<Record<string, string>> = {}): Promise<Seen> {
  return new Promise((resolve) => {
    let [body, firstAt] = ['', 0]
    const settle = (status: number, given: Seen['headers'], isBroken: boolean): void =>
      resolve({ status, headers: given, body, firstAt, endAt: performance.now(), isBroken })
    const request = get({ host: '127.0.0.1', port, path, agent: false, headers: { host: 'shop.example', ...headers } }, (res) => {
      res.setEncoding('latin1')
      res.on('data', (data: string) => {
        if (firstAt === 0) firstAt = performance.now()
        body += data
      })
      res.on('error', () => {})
      res.on('close', () => settle(res.statusCode ?? 0, res.headers, !res.complete))
    })
    request.on('error', () => settle(0, {}, true))
  })
}

/** Sum of a metric's series, of those that hold the text. */
export async function metric(apiPort: number, name: string, text = ''): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${apiPort}/metrics`)
  const lines = (await answer.text()).split('\n').filter((line) => line.startsWith(name) && line.includes(text))
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}
