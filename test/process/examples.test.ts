/** The examples run as a user runs them: own processes, the built package by its name. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const run = (name: string) => promisify(execFile)(process.execPath, [`examples/${name}.ts`], { cwd: ROOT, timeout: 20_000 })

describe('examples', () => {
  it('library: 100 callers cause one query, and an event reaches the entry', async () => {
    expect((await run('library')).stdout).toBe(
      '100 callers, 1 query; then from memory: true\nan event reached 1 entry; then from memory: false\n',
    )
  })

  it("testing: a cache of one's own is caught by its shortest schedule, forecache is not", async () => {
    const { stdout } = await run('testing')
    expect(stdout).toMatch(/^200 schedules, seeds 1 to 200: \d+ failed/)
    expect(stdout).toMatch(
      /seed \d+, 16 steps made 2:\n {2}after \d+ ms: n1 is asked for k\d\n {2}after \d+ ms: k\d is changed, n1 is told\n/,
    )
    expect(stdout.endsWith('with forecache: 0 of 200 schedules failed\n')).toBe(true)
  })

  for (const name of ['fetch', 'gateway']) {
    it(`${name}: the second answer comes from memory and is the first one`, async () => {
      const [first, second] = (await run(name)).stdout.split('\n')
      expect(first).toMatch(/^MISS /)
      expect(second).toBe(first?.replace('MISS', 'HIT'))
    })
  }

  it('express: answers from memory until the product is written', async () => {
    const child = spawn(process.execPath, ['examples/express.ts'], {
      cwd: ROOT,
      env: { ...process.env, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    try {
      const [line] = (await once(child.stdout, 'data')) as [Buffer]
      const url = String(line).trim()
      const ask = async () => (await fetch(url)).headers.get('x-cache')
      expect([await ask(), await ask()]).toEqual(['MISS', 'HIT'])
      await fetch(url, { method: 'PUT' })
      expect(await ask()).toBe('MISS')
    } finally {
      child.kill()
    }
  })
})
