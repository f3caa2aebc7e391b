import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { runCli } from '../../../src/cli/main.ts'
import { createCache } from '../../../src/flow/cache.ts'
import { readFullStats } from '../../../src/ops/stats.ts'
import { captureIo } from '../../support/captured-io.ts'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const clean of cleanups.splice(0)) clean()
})

async function run(...argv: string[]) {
  const io = captureIo()
  const code = await runCli(argv, io)
  return { code, out: io.outLines.join('\n'), err: io.errLines.join('\n') }
}

interface Asked {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A real server that answers every request the same and remembers what was asked. */
async function startApi(
  status: number,
  body: string,
  headers: Record<string, string> = {},
): Promise<{ url: string; asked: Asked[] }> {
  const asked: Asked[] = []
  const server: Server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    asked.push({ method: request.method, url: request.url, headers: request.headers, body: text })
    response.writeHead(status, headers).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

function writeConfig(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'forecache-cli-'))
  cleanups.push(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'forecache.yaml')
  writeFileSync(file, text)
  return file
}

describe('cli: exit codes', () => {
  it.each([
    [['--help'], 0],
    [['--version'], 0],
    [['help', 'purge'], 0],
    [['bench', '--help'], 0],
    [[], 2],
    [['shave'], 2],
    [['serve', '--colour', 'red'], 2],
    [['serve', 'a.yaml', 'b.yaml'], 2],
    [['serve', '--listen', 'nowhere'], 2],
    [['serve', '--listen', '127.0.0.1:70000'], 2],
    [['serve', '--origin', 'ftp://x'], 2],
    [['serve', '--origin', 'http://x/path'], 2],
    [['serve', '--profile', 'loose'], 2],
    [['serve', '--memory', 'huge', '--origin', 'http://127.0.0.1:1'], 2],
    [['serve', '--api-key', 'short', '--origin', 'http://127.0.0.1:1'], 2],
    [['check'], 2],
    [['purge'], 2],
    [['explain'], 2],
    [['bench', 'not a url'], 2],
    [['bench', 'http://127.0.0.1:1/', '--clients', '0'], 2],
    [['bench', 'http://127.0.0.1:1/', '--duration', 'soon'], 2],
    [['bench', 'http://127.0.0.1:1/', '--header', 'nonsense'], 2],
  ])('answers %j with %i', async (argv, code) => {
    const result = await run(...argv)

    expect(result.code).toBe(code)
    expect(code === 0 ? result.out : result.err).not.toBe('')
    expect(code === 0 ? result.err : result.out).toBe('')
  })

  it('fails with one sentence when no administration answers', async () => {
    const result = await run('stats', '--api', 'http://127.0.0.1:1')

    expect(result.code).toBe(1)
    expect(result.err).toMatch(
      /^error: FC_CLI_API: http:\/\/127\.0\.0\.1:1\/v1\/stats: no answer \(ECONNREFUSED\); start `forecache serve`/,
    )
  })
})

describe('cli: top and the instances', () => {
  const INSTANCES = [
    {
      id: 'self',
      self: true,
      state: 'ready',
      address: '127.0.0.1:8080',
      processes: 2,
      requestsPerSecond: 120.5,
      cpu: 0.4,
      loopDelayMs: 1.2,
    },
    {
      id: 'other',
      self: false,
      state: 'draining',
      address: '127.0.0.2:8080',
      processes: 1,
      p99Ms: 3.25,
      rssBytes: 73_400_320,
      hitRatio: 0.9,
    },
  ]
  const TOP = { windowMs: 1000, reads: 10, errorReads: 0, keys: [{ key: 'http://a/b', reads: 10, perSecond: 10, share: 1 }] }

  it('prints keys and instances, and warns when others may be missing', async () => {
    const { url, asked } = await startApi(200, JSON.stringify({ ...TOP, instances: INSTANCES, complete: false }))

    const result = await run('top', '--api', url, '--seconds', '2', '--limit', '5')

    expect(result).toMatchObject({ code: 0, err: '' })
    expect(asked.map((one) => one.url).toSorted()).toEqual(['/v1/instances', '/v1/top?seconds=2&limit=5'])
    expect(result.out).toMatch(/10 reads in 1\.0 s/)
    expect(result.out).toMatch(/10 {2}100\.00 % {2}http:\/\/a\/b/)
    expect(result.out).toMatch(/self \* +127\.0\.0\.1:8080 +ready +2 +120\.5 +40\.00 %/)
    expect(result.out).toMatch(/other +127\.0\.0\.2:8080 +draining +1 .*3\.25 ms +70\.0 MiB +90\.00 %/)
    expect(result.out).toMatch(/other instances may live/)
  })

  it('gives all of it as JSON', async () => {
    const { url } = await startApi(200, JSON.stringify({ ...TOP, instances: INSTANCES, complete: true }))
    expect(JSON.parse((await run('top', '--api', url, '--json')).out)).toEqual({ ...TOP, instances: INSTANCES, complete: true })
  })
})

describe('cli: purge', () => {
  it('sends all that was named in one invalidation and prints what came of it', async () => {
    const api = await startApi(200, '{"token":"7.x","matched":2,"nodes":{"expected":1,"acknowledged":1}}')

    const result = await run(
      'purge',
      '--tag',
      'a',
      '--tag',
      'b',
      '--url',
      '/x',
      '--soft',
      '--api',
      api.url,
      '--api-key',
      'sesame',
    )

    expect(result).toEqual({ code: 0, err: '', out: 'made stale 2 entries, 1 of 1 instances acknowledged; token 7.x' })
    expect(api.asked[0]).toMatchObject({ method: 'POST', url: '/v1/invalidate' })
    expect(api.asked[0]?.headers).toMatchObject({ 'content-type': 'application/json', 'x-api-key': 'sesame' })
    expect(JSON.parse(api.asked[0]?.body ?? '')).toEqual({ tags: ['a', 'b'], urls: ['/x'], soft: true })
  })

  it('says of a dry run that nothing was changed', async () => {
    const api = await startApi(200, '{"token":null,"matched":1}')

    expect((await run('purge', '--prefix', 'p', '--dry-run', '--api', api.url)).out).toBe(
      'would remove 1 entry; nothing was changed',
    )
    expect(JSON.parse(api.asked[0]?.body ?? '')).toEqual({ prefixes: ['p'], dryRun: true })
  })

  it('prints the answer as it is with --json', async () => {
    const api = await startApi(200, '{"token":"7.x","matched":2}')

    expect(JSON.parse((await run('purge', '--key', 'k', '--json', '--api', api.url)).out)).toEqual({ token: '7.x', matched: 2 })
  })

  it('hands on why the administration refused', async () => {
    const api = await startApi(401, '{"error":{"code":"FC_API_KEY","message":"FC_API_KEY: an API key is needed"}}')

    const result = await run('purge', '--key', 'k', '--api', api.url)
    expect([result.code, result.err]).toEqual([
      1,
      `error: FC_CLI_API: ${api.url}/v1/invalidate: answered 401: FC_API_KEY: an API key is needed`,
    ])
  })
})

describe('cli: stats and explain', () => {
  it('asks by url for a path or a URL, by key for anything else', async () => {
    const api = await startApi(200, '{"reason":"fresh"}')

    for (const subject of ['/a?b=1&c', 'http://h/x', 'quote:v2:abc'])
      expect((await run('explain', subject, '--api', api.url)).out).toBe('reason  fresh')

    await run('explain', '/a', '-H', 'cookie: session=demo', '--api', api.url)
    expect(api.asked.pop()?.url).toBe('/v1/explain?url=%2Fa&header=cookie%3A+session%3Ddemo')
    expect(api.asked.map((one) => new URL(one.url ?? '', api.url).searchParams.toString())).toEqual([
      'url=%2Fa%3Fb%3D1%26c',
      'url=http%3A%2F%2Fh%2Fx',
      'key=quote%3Av2%3Aabc',
    ])
  })

  it('prints JSON on one line with --json', async () => {
    const api = await startApi(200, '{ "rates": { "hit": 0.5 }, "reason": "fresh" }')

    expect((await run('stats', '--json', '--api', api.url)).out).toBe('{"rates":{"hit":0.5},"reason":"fresh"}')
    expect((await run('explain', 'k', '--json', '--api', api.url)).out).toBe('{"rates":{"hit":0.5},"reason":"fresh"}')
  })

  it('prints what a real engine says on one screen', async () => {
    const cache = createCache()
    cleanups.push(() => void cache.close())
    const api = await startApi(200, JSON.stringify(readFullStats(cache.engine)))

    const { code, out } = await run('stats', '--api', api.url)

    expect(code).toBe(0)
    expect(out).toMatch(/^0 entries, 0 B of 256\.0 MiB\nfrom cache 0\.00 %/)
    expect(out).toMatch(/cached answers within 15 ms +at least 0\.99 +1 +held/)
  })

  it('fails when what answers is not the administration', async () => {
    const api = await startApi(200, '<html>hello</html>')

    const result = await run('stats', '--api', api.url)
    expect([result.code, result.err]).toEqual([1, `error: FC_CLI_API: ${api.url}/v1/stats: answered 200: <html>hello</html>`])
  })

  it.each([['stats'], ['stats', '--json'], ['explain', '/a'], ['purge', '--key', 'a']])(
    'fails when what answers %s is JSON, but not of the administration',
    async (...argv) => {
      const api = await startApi(200, '{"status":"ok"}')

      const result = await run(...argv, '--api', api.url)
      expect([result.code, result.out]).toEqual([1, ''])
      expect(result.err).toMatch(/^error: FC_CLI_API: .*answered 200: \{"status":"ok"\}$/)
    },
  )
})

describe('cli: check', () => {
  it('accepts a good file and names its routes', async () => {
    const file = writeConfig('origin: { url: "http://127.0.0.1:3000" }\nroutes:\n  - { name: a, match: { path: /a } }\n')

    expect(await run('check', file)).toEqual({ code: 0, out: `${file}: good; 1 route policy: a`, err: '' })
    expect(JSON.parse((await run('check', file, '--json')).out)).toEqual({ file, good: true, routes: ['a'] })
  })

  it.each([
    [
      'an unknown name',
      'origin: { url: "http://127.0.0.1:3000" }\nroutes:\n  - name: a\n    match: { path: /a, methds: [GET] }\n',
      4,
      24,
    ],
    ['a wrong value', 'origin:\n  url: nowhere\n', 2, 8],
    ['broken YAML', 'origin:\n  url: http://x\n  : [\n', 0, 0],
    ['a doubled name', 'origin: { url: "http://x" }\norigin: { url: "http://y" }\n', 2, 1],
  ])('names line and column of %s', async (_, text, line, column) => {
    const file = writeConfig(text)

    const plain = await run('check', file)
    const json = JSON.parse((await run('check', file, '--json')).out)

    expect(plain.code).toBe(1)
    expect(json).toMatchObject({ good: false, line: expect.any(Number), column: expect.any(Number), reason: expect.any(String) })
    expect(plain.err).toContain(`${file}:${json.line}:${json.column}: `)
    if (line > 0) expect(json.line).toBe(line)
    if (text.startsWith('origin: { url: "http://127')) expect(json.column).toBe(column)
  })

  it('fails for a file that is not there', async () => {
    expect((await run('check', '/nowhere/forecache.yaml')).code).toBe(1)
  })

  it('reads the certificates that a configuration names', async () => {
    const file = writeConfig('origin: { url: "http://127.0.0.1:1" }\ntls: { cert: /nowhere/a.pem, key: /nowhere/b.pem }\n')
    const { code, err } = await run('check', file)

    expect(code).toBe(1)
    expect(err).toContain('FC_TLS_FILE: tls.cert: /nowhere/a.pem cannot be read: there is no such file')
  })
})

describe('cli: bench', () => {
  it('measures a real server and tells X-Cache apart', async () => {
    const api = await startApi(200, 'hello', { 'x-cache': 'HIT' })

    const result = await run('bench', `${api.url}/x?y=1`, '-c', '2', '-d', '200ms', '-H', 'cookie: a=b', '--json')
    const report = JSON.parse(result.out)

    expect(result.code).toBe(0)
    expect(report.requests).toBeGreaterThan(10)
    expect(report.classes.HIT.count).toBe(report.requests)
    expect(report.statuses).toEqual({ 200: report.requests })
    expect(report.bytes).toBe(report.requests * 5)
    expect(report.all.p50).toBeLessThanOrEqual(report.all.p99)
    expect(api.asked.at(-1)).toMatchObject({ url: '/x?y=1', headers: { cookie: 'a=b' } })
  })

  it('prints a table for people', async () => {
    const api = await startApi(404, '')

    const { code, out } = await run('bench', api.url, '-c', '1', '-d', '50ms', '--no-warm')

    expect(code).toBe(0)
    expect(out).toMatch(/X-Cache +answers +share +p50 +p95 +p99 +max/)
    expect(out).toMatch(/none +\d+ +100\.00 %/)
    expect(out).toMatch(/status: 404 × \d+/)
  })

  it('fails when nobody answers', async () => {
    const { code, out } = await run('bench', 'http://127.0.0.1:1/', '-c', '1', '-d', '60ms', '--no-warm')

    expect(code).toBe(1)
    expect(out).toMatch(/without an answer: ECONNREFUSED × \d/)
  })
})
