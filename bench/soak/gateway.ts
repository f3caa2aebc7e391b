/**
 * The gateway of a soak, as users start it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const COMMAND = fileURLToPath(new URL('../../bin/forecache.js', import.meta.url))
const STOP_MS = 15_000

/** A running gateway. */
export interface GatewayChild {
  readonly pid: number
  readonly port: number
  readonly apiPort: number
  /** Ends it in order. @returns its exit code; null when it had to be killed or died */
  stop(): Promise<number | null>
  kill(): void
}

/** Starts one before an origin. @throws when it ends before it is ready */
export async function startGateway(originPort: number, memoryBytes: number): Promise<GatewayChild> {
  const where = ['--origin', `http://127.0.0.1:${originPort}`, '--listen', '127.0.0.1:0', '--api', '127.0.0.1:0']
  const child = spawn(process.execPath, [COMMAND, 'serve', ...where, '--memory', String(memoryBytes)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, FORECACHE_LOG_LEVEL: 'error' },
  })
  const ready = await new Promise<{ listen: string; api: string }>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the gateway ended with ${code}`)))
    createInterface(child.stdout).on('line', (line) => {
      if (line.includes('"ready"')) resolve(JSON.parse(line) as { listen: string; api: string })
    })
  })
  const exited = once(child, 'exit') as Promise<[number | null]>
  return {
    pid: child.pid as number,
    port: portOf(ready.listen),
    apiPort: portOf(ready.api),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      const [code] = await exited
      clearTimeout(timer)
      return code
    },
    kill: () => void child.kill('SIGKILL'),
  }
}

function portOf(address: string): number {
  return Number(/:(\d+)$/.exec(address)?.[1])
}
