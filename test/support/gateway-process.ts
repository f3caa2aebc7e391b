/**
 * The gateway as users run it: a process of its own, awaited until its `{"msg":"ready"}` line.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const COMMAND = fileURLToPath(new URL('../../bin/forecache.js', import.meta.url))
const READY_MS = 30_000

/** A running gateway. */
export interface GatewayProcess {
  readonly port: number
  readonly apiPort: number
  /** Posts to /v1/invalidate of the api port. */
  invalidate(wish: Readonly<Record<string, unknown>>): Promise<Invalidated>
  /** What it logged as an error so far: it should never have to. */
  errors(): string[]
  /** Ends it; resolves with its exit code. */
  stop(): Promise<number | null>
}

/** What the administration answers. */
export interface Invalidated {
  readonly token: string
  readonly matched: number
}

/** @param args beside `serve --origin URL --listen 127.0.0.1:0 --api 127.0.0.1:0` */
export async function startGateway(originUrl: string, args: readonly string[] = []): Promise<GatewayProcess> {
  const listen = ['--listen', '127.0.0.1:0', '--api', '127.0.0.1:0']
  const child = spawn(process.execPath, [COMMAND, 'serve', '--origin', originUrl, ...listen, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const written: string[] = []
  createInterface(child.stderr).on('line', (line) => written.push(line))
  const ready = await new Promise<Record<string, unknown>>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not ready within ${READY_MS} ms:\n${written.join('\n')}`)), READY_MS)
    child.once('exit', (code) => reject(new Error(`ended with ${code}:\n${written.join('\n')}`)))
    createInterface(child.stdout).on('line', (line) => {
      written.push(line)
      const parsed = line.startsWith('{') ? (JSON.parse(line) as Record<string, unknown>) : {}
      if (parsed['msg'] !== 'ready') return
      clearTimeout(timer)
      resolve(parsed)
    })
  }).catch((error: unknown) => {
    child.kill('SIGKILL')
    throw error
  })
  const apiPort = portOf(ready['api'])
  return {
    port: portOf(ready['listen']),
    apiPort,
    invalidate: (wish) => invalidate(apiPort, wish),
    errors: () => written.filter((line) => /"level":(?:"error"|[56]0)/.test(line)),
    async stop() {
      if (child.exitCode !== null) return child.exitCode
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 5000)
      const [code] = (await once(child, 'exit')) as [number | null]
      clearTimeout(timer)
      return code
    },
  }
}

function portOf(address: unknown): number {
  const match = /:(\d+)\/?$/.exec(String(address))
  if (match === null) throw new Error(`no address: ${String(address)}`)
  return Number(match[1])
}

async function invalidate(apiPort: number, wish: Readonly<Record<string, unknown>>): Promise<Invalidated> {
  const reply = await fetch(`http://127.0.0.1:${apiPort}/v1/invalidate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(wish),
  })
  if (reply.status !== 200) throw new Error(`invalidate: ${reply.status} ${await reply.text()}`)
  return (await reply.json()) as Invalidated
}
