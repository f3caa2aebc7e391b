/** Benchmarks: that each starts, what a comparison's ratios and limits are made of, the bodies all servers answer. */
import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { TABLES } from '../../../bench/load/cells.ts'
import { goalsOf, median, ratioOf } from '../../../bench/load/report.ts'
import type { Row } from '../../../bench/load/rounds.ts'
import { contentOf } from '../../../bench/rig/content.ts'

const execute = promisify(execFile)
const NAMES = readdirSync('bench', { recursive: true, encoding: 'utf8' })
  .filter((path) => /^[a-z]+.main\.ts$/.test(path))
  .map((path) => path.slice(0, -'/main.ts'.length))

const row = (name: string, ...cpu: number[]): Row => ({
  name,
  samples: cpu.map((cpuUs) => ({ cpuUs, perSecond: 1, p50: 1, p99: cpuUs, failed: 0, originRequests: 0 })),
})

describe('benchmarks', () => {
  it.each(NAMES)('tells its options: %s', async (name) => {
    const { stdout } = await execute(process.execPath, ['bench/main.ts', name, '--help'])

    expect(stdout).toMatch(new RegExp(`^npm run (bench -- )?${name} `))
  })

  it('takes ratios round by round, so that a round in which the machine was busy counts for both', () => {
    const rows = [row('forecache', 10, 40, 10), row('nginx', 20, 80, 25)]

    expect(ratioOf(rows, rows[1] as Row, (one) => one.cpuUs)).toBe(0.5)
  })

  it('sets limits only for 1 KB over 64 connections, and says which were not reached', () => {
    const rows = [row('forecache', 10), row('nginx', 20), row('haproxy', 10)]
    const cells = (TABLES['main'] ?? []).map((cell) => ({ table: 'main', cell, rows }))

    expect(goalsOf(cells).map(({ name, isMet }) => [name, isMet])).toEqual([
      ['CPU per hit / nginx, bare headers', false],
      ['CPU per hit / haproxy, bare headers', true],
      ["p99 / best peer's (haproxy), bare headers", true],
    ])
  })

  it('takes the mean of the two in the middle for the median of an even number', () => {
    expect([median([3, 1, 2]), median([4, 1, 3, 2])]).toEqual([2, 2.5])
  })

  it.each(['/1024/0', '/16384/99999', '/z/16384/5', '/1024/-17'])('makes JSON of exactly the bytes asked for: %s', (path) => {
    const [key, bytes] = path.split('/').reverse()

    const text = contentOf(path)

    expect(Buffer.byteLength(text)).toBe(Number(bytes))
    expect(JSON.parse(text)).toMatchObject({ id: key })
  })
})
