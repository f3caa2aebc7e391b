/** `forecache analyze` with files, standard input and a running gateway, and `forecache advice`. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { request } from 'undici'
import { afterAll, describe, expect, it } from 'vitest'
import type { Report } from '../../src/advice/report.ts'
import { runCli } from '../../src/cli/main.ts'
import { type CapturedIo, captureIo } from '../support/captured-io.ts'
import { gatewayBefore, originHere } from '../support/gateway-here.ts'
import { combinedLine, jsonLine, knownLog } from '../support/known-log.ts'

const directory = mkdtempSync(join(tmpdir(), 'forecache-analyze-'))
const place = (name: string): string => join(directory, name)
const log = [...knownLog({ seed: 11, lines: 30_000, everyMs: 50, digests: true })]

afterAll(() => rmSync(directory, { recursive: true }))

async function run(...argv: string[]): Promise<CapturedIo & { code: number }> {
  const io = captureIo()
  return { ...io, code: await runCli(argv, io) }
}

describe('forecache analyze', () => {
  it.each([
    ['combined.log', (text: string) => Buffer.from(text), combinedLine],
    ['combined.log.gz', (text: string) => gzipSync(text), combinedLine],
    ['lines.json.zst', (text: string) => zstdCompressSync(text), jsonLine],
  ])('reads %s, and writes a configuration that check accepts, and a page', async (name, pack, spell) => {
    writeFileSync(place(name), pack(`${log.map(spell).join('\n')}\nnonsense\n`))

    const result = await run('analyze', place(name), '--json', '--out', place('out.yaml'), '--html', place('out.html'))

    expect(result.errLines.join('\n')).toContain('30,001 lines')
    expect(result.code).toBe(0)
    const report = JSON.parse(result.outLines.join('')) as Report
    expect(report.requests).toBe(30_000)
    expect(report.skippedLines).toBe(1)
    expect((await run('check', place('out.yaml'))).code).toBe(0)
    const page = readFileSync(place('out.html'), 'utf8')
    expect(page).toMatch(/<svg [\s\S]*polyline/)
    expect(page).not.toMatch(/<script|https?:\/\/(?!127)|NaN|undefined/)
  })

  it('prints what it found, and the configuration', async () => {
    writeFileSync(place('text.log'), log.map(combinedLine).join('\n'))

    const result = await run('analyze', place('text.log'))

    expect(result.outLines.join('\n')).toMatch(
      /\/api\/products\/:id[\s\S]*decide: \?currency[\s\S]*no-normalization[\s\S]*^routes:$/m,
    )
  })

  it.each([
    [['analyze'], 2],
    [['analyze', 'x', '--url', 'http://127.0.0.1:1'], 2],
    [['analyze', '/nowhere/at-all.log'], 1],
    [['analyze', 'x', '--format', 'xml'], 2],
    [['analyze', 'x', '--field', 'target'], 2],
    [['analyze', '--url', 'http://127.0.0.1:1', '--for', '1s'], 1],
  ])('answers %j with %i and one sentence', async (argv, code) => {
    const result = await run(...argv)

    expect(result.code).toBe(code)
    expect(result.errLines.join('\n')).not.toMatch(/\n {4}at /)
  })

  it('says of a file without requests what it expected', async () => {
    writeFileSync(place('none.log'), 'a\nb\n')

    const result = await run('analyze', place('none.log'))

    expect(result.errLines.at(-1)).toMatch(/FC_CLI_FILE.*none of its 2 lines/)
  })
})

describe('a running gateway', () => {
  it('is listened to, and gives advice from its counters', async () => {
    const origin = await originHere((incoming, answer) => {
      answer.setHeader('cache-control', 'max-age=60').end(`content of ${incoming.url?.split('?')[0]}`)
    })
    const gateway = await gatewayBefore(origin)
    const api = `http://127.0.0.1:${gateway.apiPort}`
    const tap = run('analyze', '--url', api, '--for', '3s', '--json')
    let isOver = false
    void tap.finally(() => (isOver = true))
    for (let asked = 0; !isOver; asked += 1)
      await (await request(`${gateway.url}/items/${100 + (asked % 7)}?_=${asked % 3}`)).body.dump()

    const result = await tap
    const report = JSON.parse(result.outLines.join('')) as Report
    const advice = await run('advice', '--api', api, '--json')

    expect(report.routes.map(({ pattern }) => pattern)).toEqual(['/items/:id'])
    expect(report.routes[0]?.keys).toBeGreaterThanOrEqual(7)
    expect(advice.code).toBe(0)
    expect(JSON.parse(advice.outLines.join(''))).toMatchObject({ routes: [{ route: 'default' }] })
    expect((await run('advice', '--api', api)).outLines.join('\n')).toMatch(/^route +requests/)
  })
})
