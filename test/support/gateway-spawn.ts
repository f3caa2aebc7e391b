/**
 * `forecache serve` as a process, on free ports: its ports, its log, its memory, its end.
 */
import { readFileSync } from 'node:fs'
import { onTestFinished } from 'vitest'
import { type Ended, startCli } from './cli-process.ts'

/** A running gateway. */
export interface SpawnedGateway {
  readonly port: number
  readonly apiPort: number
  readonly ready: Readonly<Record<string, unknown>>
  readonly ended: Promise<Ended>
  signal(name: NodeJS.Signals): void
  /** Resolves with the first log line on stderr that holds the text. */
  logged(text: string): Promise<Record<string, unknown>>
  /** Largest resident size so far; 0 where the system does not tell. */
  peakBytes(): number
}

/** Starts one for this test; ends it behind it. */
export async function spawnGateway(args: readonly string[]): Promise<SpawnedGateway> {
  const running = startCli(['serve', '--listen', '127.0.0.1:0', '--api', '127.0.0.1:0', ...args])
  onTestFinished(() => void running.child.kill('SIGKILL'))
  let log = ''
  running.child.stderr?.on('data', (data: Buffer) => (log += data.toString()))
  const ready = JSON.parse(await running.line((line) => line.includes('"ready"'))) as Record<string, unknown>
  return {
    ready,
    port: portOf(ready.listen),
    apiPort: portOf(ready.api),
    ended: running.ended,
    signal: (name) => void running.child.kill(name),
    async logged(text) {
      const deadline = Date.now() + 10_000
      for (;;) {
        const line = log
          .split('\n')
          .slice(0, -1)
          .find((one) => one.includes(text))
        if (line !== undefined) return JSON.parse(line) as Record<string, unknown>
        if (Date.now() > deadline) throw new Error(`never logged: ${text}\n${log}`)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
    peakBytes() {
      try {
        return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${running.child.pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
      } catch {
        return 0
      }
    },
  }
}

function portOf(address: unknown): number {
  return Number(/:(\d+)$/.exec(String(address))?.[1])
}
