/** What is counted, told and shown of requests is the same in the lane and by `node:http` alone. */
import { describe, expect, it } from 'vitest'
import type { EventName } from '../../src/model/event.ts'
import { type Arm, Wire } from '../support/lane-arm.ts'
import { gatewayOf, get, open, told, until } from '../support/lane-wire.ts'

const EVENTS: readonly EventName[] = [
  'lookup:hit',
  'lookup:stale',
  'lookup:miss',
  'origin:load',
  'keep:store',
  'keep:refuse',
  'fence:append',
]
const ROUTES = [{ name: 'shop', match: { path: '/u/p1' }, budget: { fresh: '1m', stale: '2m', onError: '3m' } }]

/** A hit, hits of a route, a stale answer, a miss, a 304, a range, a HEAD, a POST, a miss by Vary. */
const REQUESTS: readonly string[] = [
  get('h1'),
  get('p1'),
  get('p1'),
  get('p1').replace('GET', 'HEAD'),
  get('s1'),
  get('s1'),
  get('n1'),
  get('h1', 'If-None-Match: "v1"\r\n'),
  get('h1', 'Range: bytes=0-3\r\n'),
  get('h1', 'Cache-Control: no-cache\r\n'),
  'POST /u/p1 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nab',
  get('p1'),
  get('v1', 'Accept-Language: de\r\n'),
  get('v1', 'Accept-Language: de\r\n'),
  get('v1', 'Accept-Language: en\r\n'),
  get('h1'),
]

async function api(arm: Arm, path: string): Promise<string> {
  const wire = new Wire(arm.apiPort)
  wire.send(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
  await until(() => wire.isOver, `an answer for ${path}`, 15_000)
  return wire.text.slice(wire.text.indexOf('\r\n\r\n') + 4)
}

/** Metrics of the cache that do not measure time, bytes or the lane. */
function countsIn(metrics: string): string[] {
  return metrics
    .split('\n')
    .filter((line) => /^forecache_cache_\w+(?:_total|_count|_entries)(?:\{[^}]*\})? /.test(line))
    .filter((line) => !/_bytes|_seconds_sum/.test(line))
}

/** Without the random name of a Vary index. */
function nameless(text: string): string {
  return text.replace(/ \|[\w-]+\|/, ' |*|')
}

async function runOn(lane: boolean): Promise<{ answers: string[]; events: string[]; metrics: string[]; top: string[] }> {
  const arm = await gatewayOf(lane, { routes: ROUTES })
  const events: string[] = []
  for (const name of EVENTS) {
    arm.gateway.cache.engine.events.on(name, (payload) => {
      const { key, reason } = payload as { key?: string; reason?: string }
      events.push(nameless([name, key, reason].filter((part) => part !== undefined).join(' ')))
    })
  }
  const watching = api(arm, '/v1/top?seconds=1')
  await new Promise((resolve) => setTimeout(resolve, 100))
  const wire = open(arm)
  for (const [at, request] of REQUESTS.entries()) {
    wire.send(request)
    await until(() => told(wire).length === at + 1, `answer ${at}`)
    await until(() => arm.gateway.cache.stats().flights + arm.gateway.cache.stats().refreshing === 0, 'nothing under way')
  }
  const { keys } = JSON.parse(await watching) as { keys: { key: string; reads: number }[] }
  return {
    answers: told(wire),
    events,
    metrics: countsIn(await api(arm, '/metrics')),
    // A read that the lane found and left to the door is one more: only keys that were plainly hit are compared.
    top: keys.filter(({ key }) => !/\/[shv]1/.test(key)).map(({ key, reads }) => `${reads} ${key}`),
  }
}

describe('counts, events and the keys read most', () => {
  it('are the same whichever way requests went', { timeout: 20_000 }, async () => {
    const [inLane, byHttp] = [await runOn(true), await runOn(false)]

    expect(inLane.answers).toEqual(byHttp.answers)
    expect(inLane.events).toEqual(byHttp.events)
    expect(inLane.metrics).toEqual(byHttp.metrics)
    expect(inLane.top).toEqual(byHttp.top)
    expect(inLane.events.filter((event) => event.startsWith('lookup:hit')).length).toBeGreaterThan(5)
    expect(inLane.metrics.length).toBeGreaterThan(10)
    expect(inLane.top).toEqual(['2 http://a.test/u/p1'])
  })
})
