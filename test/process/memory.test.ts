import { readFileSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { originHere } from '../support/gateway-here.ts'
import { startCli } from '../support/cli-process.ts'

const LINUX = process.platform === 'linux' && typeof process.execve === 'function'

/** A gateway before an origin that answers 2 KB; its process and its ports. */
async function serve(env: NodeJS.ProcessEnv = {}) {
  const origin = await originHere((_, response) => {
    response.writeHead(200, { 'cache-control': 'max-age=60', 'content-type': 'text/plain' }).end('x'.repeat(2000))
  })
  const before = Object.fromEntries(Object.keys(env).map((name) => [name, process.env[name]]))
  Object.assign(process.env, env)
  const running = startCli(['serve', '--origin', origin, '--listen', '127.0.0.1:0', '--api', '127.0.0.1:0', '--memory', '1MiB'])
  for (const [name, value] of Object.entries(before)) {
    if (value === undefined) Reflect.deleteProperty(process.env, name)
    else process.env[name] = value
  }
  onTestFinished(() => void running.child.kill('SIGKILL'))
  const ready = JSON.parse(await running.line((line) => line.includes('"ready"'))) as { listen: string; api: string }
  return { url: `http://${ready.listen}`, api: `http://${ready.api}`, pid: running.child.pid as number }
}

interface Told {
  readonly bytes: number
  readonly memory: {
    readonly limitBytes: number
    readonly effectiveBytes: number
    readonly rssBytes: number
    readonly baseBytes: number
    readonly ledger: Readonly<Record<string, number>>
  }
}

async function statsOf(api: string): Promise<Told> {
  return (await (await fetch(`${api}/v1/stats`)).json()) as Told
}

describe('memory of a gateway process', () => {
  it.runIf(LINUX)('begins again, as the same process, with what only a start can set', async () => {
    const { pid } = await serve()

    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')).toContain('--max-semi-space-size=4')
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')).toContain('MALLOC_MMAP_THRESHOLD_=131072')
  })

  it.runIf(LINUX)('leaves the start alone where somebody has set the allocator already', async () => {
    const { pid } = await serve({ MALLOC_TRIM_THRESHOLD_: '1000000' })

    expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8')).not.toContain('semi-space')
  })

  it('keeps entries and what is held beside them below a limit of 1 MiB, and tells both', async () => {
    const { url, api } = await serve()

    for (let i = 0; i < 1500; i += 1) {
      const answer = await fetch(`${url}/item/${i}`)
      expect((await answer.text()).length).toBe(2000)
    }

    const { bytes, memory } = await statsOf(api)
    const beside = Object.values(memory.ledger).reduce((sum, one) => sum + one, 0)
    expect(memory.limitBytes).toBe(1024 * 1024)
    expect(bytes).toBeGreaterThan(100_000)
    expect(bytes + beside).toBeLessThanOrEqual(memory.limitBytes + 16_384)
    expect(memory.baseBytes).toBeGreaterThan(30 * 1024 * 1024)
    expect(memory.rssBytes).toBeGreaterThan(0)
    const metrics = await (await fetch(`${api}/metrics`)).text()
    expect(metrics).toContain('forecache_memory_limit_bytes 1048576')
    expect(metrics).toMatch(/forecache_memory_ledger_bytes\{account="connections"\} \d+/)
    expect(metrics).toMatch(/forecache_memory_sheds_total\{kind="entries"\} \d+/)
  })
})
