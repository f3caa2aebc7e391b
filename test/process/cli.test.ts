/**
 * The command line as real processes, in the checkout and laid out as an installed package.
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCliProcess, type Running, startCli } from '../support/cli-process.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const ANY_PORTS = ['--listen', '127.0.0.1:0', '--api', '127.0.0.1:0']

let directory: string
let installed: string
let api: Server
let apiUrl: string
let price = 10
const running: Running[] = []

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'forecache-process-'))
  installed = join(directory, 'package', 'bin', 'forecache.js')
  for (const name of ['bin', 'dist', 'package.json'])
    cpSync(join(ROOT, name), join(directory, 'package', name), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'package', 'node_modules'))
  api = createServer((request, response) => {
    response
      .setHeader('cache-control', 'max-age=60')
      .setHeader('surrogate-key', 'product:1')
      .end(`{"path":"${request.url}","price":${price}}`)
  })
  await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve))
  apiUrl = `http://127.0.0.1:${(api.address() as AddressInfo).port}`
})

afterAll(async () => {
  for (const one of running) one.child.kill('SIGKILL')
  await Promise.all(running.map((one) => one.ended))
  api.closeAllConnections()
  api.close()
  rmSync(directory, { recursive: true })
})

async function serve(script?: string): Promise<{ gateway: string; admin: string; process: Running }> {
  const started = startCli(['serve', '--origin', apiUrl, ...ANY_PORTS], script)
  running.push(started)
  const ready = JSON.parse(await started.line((line) => line.includes('"msg":"ready"')))
  return { gateway: `http://${ready.listen}`, admin: `http://${ready.api}`, process: started }
}

async function get(url: string): Promise<{ cache: string | null; text: string }> {
  const answer = await fetch(url)
  return { cache: answer.headers.get('x-cache'), text: await answer.text() }
}

describe('cli process: exit codes and streams', () => {
  it.each([
    [['--version'], 0],
    [['--help'], 0],
    [['purge'], 2],
    [['serve'], 2],
    [['stats', '--api', 'http://127.0.0.1:1'], 1],
    [['check', '/nowhere.yaml'], 1],
  ])('ends %j with %i, results on stdout, errors on stderr', async (argv, code) => {
    const ended = await runCliProcess(argv)

    expect(ended.code).toBe(code)
    expect(code === 0 ? ended.err : ended.out).toBe('')
  })

  it('is not disturbed by a reader that has seen enough', async () => {
    const started = startCli(['--help'])
    started.child.stdout?.destroy()

    expect(await started.ended).toMatchObject({ code: 0, err: '' })
  })

  it('names line and column of the first mistake in a file', async () => {
    const file = join(directory, 'bad.yaml')
    writeFileSync(file, `origin: { url: "${apiUrl}" }\nroutes:\n  - name: a\n    match: { path: /a, methds: [GET] }\n`)

    const checked = await runCliProcess(['check', file, '--json'])
    const served = await runCliProcess(['serve', file, ...ANY_PORTS])

    expect([checked.code, served.code]).toEqual([1, 1])
    expect(JSON.parse(checked.out)).toMatchObject({ good: false, line: 4, column: 24 })
    expect(served.err).toContain(`${file}:4:24: `)
  })

  it('says which address is taken', async () => {
    const taken = apiUrl.slice('http://'.length)
    const ended = await runCliProcess(['serve', '--origin', apiUrl, '--listen', taken, '--api', '127.0.0.1:0'])

    expect(ended.code).toBe(1)
    expect(ended.err).toBe(
      `error: FC_LISTEN_FAILED: ${taken}: another process listens there already; choose another address with --listen and --api, or port 0 for a free one\n`,
    )
  })

  it('refuses to be open to everybody without a key', async () => {
    const ended = await runCliProcess(['serve', '--origin', apiUrl, '--listen', '127.0.0.1:0', '--api', '0.0.0.0:0'])

    expect(ended.code).toBe(1)
    expect(ended.err).toContain('FC_LISTEN_EXPOSED')
  })
})

describe('cli process: the demo without its optional peer', () => {
  it('says what to install', async () => {
    const bare = join(directory, 'bare')
    cpSync(join(directory, 'package', 'bin'), join(bare, 'bin'), { recursive: true })
    cpSync(join(directory, 'package', 'dist'), join(bare, 'dist'), { recursive: true })
    cpSync(join(ROOT, 'package.json'), join(bare, 'package.json'))
    mkdirSync(join(bare, 'node_modules'))
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    for (const name of Object.keys(dependencies)) {
      mkdirSync(dirname(join(bare, 'node_modules', name)), { recursive: true }) // scoped names are folders
      symlinkSync(join(ROOT, 'node_modules', name), join(bare, 'node_modules', name))
    }

    const ended = await runCliProcess(['demo', '--once'], join(bare, 'bin', 'forecache.js'))

    expect([ended.code, ended.out]).toEqual([1, ''])
    expect(ended.err).toBe(
      'error: FC_CLI_PEER: the demo shop needs @electric-sql/pglite, which is not installed; run: npm install @electric-sql/pglite\n',
    )
  })
})

describe.each([
  ['in the checkout', () => undefined],
  ['installed', () => installed],
])('cli process: a running gateway, %s', (where, script) => {
  it('is served, explained, counted, purged and drained by the command line alone', async () => {
    expect(existsSync(join(directory, 'package', 'src'))).toBe(false)
    const { gateway, admin, process } = await serve(script())
    const cli = (...argv: string[]) => runCliProcess([...argv, '--api', admin], script())
    price = 10

    const first = await get(`${gateway}/p/${where.length}`)
    const second = await get(`${gateway}/p/${where.length}`)
    price = 20
    const explained = await cli('explain', `/p/${where.length}`, '--json')
    const dry = await cli('purge', '--tag', 'product:1', '--dry-run')
    const stillOld = await get(`${gateway}/p/${where.length}`)
    const purged = await cli('purge', '--tag', 'product:1')
    const after = await get(`${gateway}/p/${where.length}`)
    const stats = await cli('stats', '--json')
    process.child.kill('SIGTERM')
    const end = await process.ended

    expect([first.cache, second.cache, stillOld.cache, after.cache]).toEqual(['MISS', 'HIT', 'HIT', 'MISS'])
    expect(second.text).toBe(first.text)
    expect(JSON.parse(explained.out)).toMatchObject({ reason: 'fresh', cached: true, entry: { tags: ['product:1'] } })
    expect(dry.out).toBe('would remove 1 entry; nothing was changed\n')
    expect(purged.out).toMatch(/^removed 1 entry, 1 of 1 instances acknowledged; token \S+\n$/)
    expect(JSON.parse(after.text).price).toBe(20)
    expect(JSON.stringify(JSON.parse(stats.out))).toContain('"hits":2')
    expect(end.code).toBe(0)
  })
})
