/** One administration for all workers. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parsePrometheusText } from '../support/prometheus-text.ts'
import { type Pinned, through, WorkersStand } from '../support/workers-stand.ts'

async function hitEach(pins: readonly Pinned[], path: string, times: number): Promise<void> {
  for (const pin of pins) for (let i = 0; i < times; i += 1) await through(pin, `GET ${path}`)
}

/** Path of a configuration that is gone after the test. */
function configFile(text: string): string {
  const path = mkdtempSync(join(tmpdir(), 'forecache-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  const file = join(path, 'forecache.yaml')
  writeFileSync(file, text)
  return file
}

describe('workers: one administration', () => {
  it('sums what all count, at /metrics and /v1/stats', async () => {
    const stand = await new WorkersStand().start(2)
    const pins = await stand.pins(2, 1)
    const before = (await stand.api('/v1/stats')) as { counts: Record<string, number>; entries: number }
    await hitEach(pins, '/k', 5)

    const stats = (await stand.api('/v1/stats')) as typeof before & { maxBytes: number }
    const text = await (await fetch(`http://127.0.0.1:${stand.gateway.apiPort}/metrics`)).text()
    const own = text.split('\n').filter((line) => line.includes('forecache_'))
    const families = parsePrometheusText(`${own.join('\n')}\n`)
    const read = (name: string) => families.get(name)?.samples ?? []

    expect((stats.counts['hits'] ?? 0) - (before.counts['hits'] ?? 0)).toBe(8)
    expect((stats.counts['misses'] ?? 0) - (before.counts['misses'] ?? 0)).toBe(2)
    expect(stats.entries - before.entries).toBe(2)
    expect(Math.abs(stats.maxBytes - 256 * 1024 * 1024)).toBeLessThan(4)
    expect(read('forecache_workers').map(({ value }) => value)).toEqual([2])
    expect(read('forecache_workers_replaced_total').map(({ value }) => value)).toEqual([0])
    expect(read('forecache_worker_cpu_seconds_total')).toHaveLength(2)
    expect(text).toContain(`forecache_cache_hits_total{route="default"} ${stats.counts['hits']}`)
  })

  it('explains what each worker holds, as the one that knows most sees it', async () => {
    const stand = await new WorkersStand().start(2)
    const pins = await stand.pins(2, 1)
    await hitEach(pins.slice(0, 1), '/k', 2)

    const seen = (await stand.api('/v1/explain?url=http://a.test/k')) as Record<string, unknown> & {
      workers: { worker: string; reason: string }[]
    }
    const refused = await fetch(`http://127.0.0.1:${stand.gateway.apiPort}/v1/explain?odd=1`)

    expect(seen).toMatchObject({ reason: 'fresh', cached: true, key: 'http://a.test/k' })
    expect(seen.workers.map(({ worker, reason }) => `${worker} ${reason}`).toSorted()).toEqual(
      pins.map((pin, index) => `${pin.worker} ${index === 0 ? 'fresh' : 'unknown'}`).toSorted(),
    )
    expect([refused.status, (await refused.json()) as unknown]).toMatchObject([400, { error: { code: 'FC_API_QUERY' } }])
  })

  it('counts the hottest keys of all', async () => {
    const stand = await new WorkersStand().start(2)
    const pins = await stand.pins(2, 1)
    await hitEach(pins, '/k', 1)
    const asked = stand.api('/v1/top?seconds=1.5') as Promise<{ keys: { key: string; reads: number }[]; reads: number }>
    const began = Date.now()
    let reads = 0
    while (Date.now() - began < 800) {
      await hitEach(pins, '/k', 1)
      reads += 2
    }

    const top = await asked

    expect(top.keys[0]?.key).toBe('http://a.test/k')
    expect(top.keys[0]?.reads).toBeGreaterThan(reads / 2)
  })

  it('advises by what all count, and by the large answers that any of them stored', async () => {
    const large = 'routes:\n  - name: large\n    match: { path: /large/:name }\n    limits: { body: 4MiB }\n'
    const stand = await new WorkersStand().start(2, [configFile(large)])
    const pins = await stand.pins(2, 1)
    stand.origin.padBytes = 1_500_000
    await hitEach(pins.slice(0, 1), '/large/a', 2)
    stand.origin.padBytes = 2_500_000
    await hitEach(pins.slice(1), '/large/b', 2)

    const advice = (await stand.api('/v1/advice')) as {
      routes: { route: string; requests: number }[]
      findings: { kind: string; evidence: { count: number; maxBytes: number; key: string } }[]
    }
    const found = advice.findings.find(({ kind }) => kind === 'large-payloads')

    expect(advice.routes.find(({ route }) => route === 'large')?.requests).toBe(4)
    expect(found?.evidence).toMatchObject({ count: 2, key: 'http://a.test/large/b' })
    expect(found?.evidence.maxBytes).toBeGreaterThanOrEqual(2_500_000)
  })

  it('streams what happens in every worker, and each invalidation once', async () => {
    const stand = await new WorkersStand().start(2)
    const pins = await stand.pins(2, 1)
    const abort = new AbortController()
    const stream = await fetch(`http://127.0.0.1:${stand.gateway.apiPort}/v1/stream?events=keep:store,fence:append`, {
      signal: abort.signal,
    })
    const reader = (stream.body as ReadableStream<Uint8Array>).getReader()
    let text = ''
    const read = async (until: (text: string) => boolean): Promise<void> => {
      while (!until(text)) text += Buffer.from((await reader.read()).value ?? []).toString()
    }
    await read((all) => all.includes('retry'))

    for (let round = 0; !text.includes(`"key":"http://a.test/s/${round - 1}/0"`) && round < 20; round += 1) {
      await Promise.all(pins.map((pin, index) => through(pin, `GET /s/${round}/${index}`)))
      await Promise.race([read((all) => all.includes(`/s/${round}/1"`)), new Promise((resolve) => setTimeout(resolve, 300))])
    }
    await stand.invalidate({ tags: ['only-once'] })
    await read((all) => all.includes('only-once'))
    abort.abort()

    expect(text).toMatch(/"key":"http:\/\/a\.test\/s\/\d+\/0"/)
    expect(text).toMatch(/"key":"http:\/\/a\.test\/s\/\d+\/1"/)
    expect(text.match(/only-once/g)).toHaveLength(1)
  })

  it('honours a token of one worker at any other, and asks the origin for one it cannot vouch for', async () => {
    const own = 'routes:\n  - name: own\n    match: { path: /own, methods: [GET, POST] }\n    readYourWrites: true\n'
    const stand = await new WorkersStand().start(2, [configFile(own)])
    const pins = await stand.pins(2, 1)
    await hitEach(pins, '/own', 2)

    const token = (await through(pins[0] as Pinned, 'POST /own', ['Content-Length: 0'])).get('forecache-token') as string
    const [generation, sequence] = token.split('.')
    const other = pins[1] as Pinned
    await through(other, 'GET /own')
    const known = await through(other, 'GET /own', [`forecache-token: ${token}`])
    const later = await through(other, 'GET /own', [`forecache-token: ${generation}.${Number(sequence) + 1000}`])
    const foreign = await through(other, 'GET /own', ['forecache-token: elsewhere.1'])

    expect([known.get('x-cache'), known.text]).toEqual(['HIT', '1'])
    expect([later.get('x-cache'), foreign.get('x-cache')]).not.toContain('HIT')
  })
})
