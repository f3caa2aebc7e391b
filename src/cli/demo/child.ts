/**
 * A process of the demo: started, awaited until its `{"msg":"ready"}` line, ended with the demo.
 *
 * Floor 6, room cli. Waiting has a deadline, and what the process wrote is shown when it never gets ready. The IPC
 * channel closes when this process dies, however it dies: then the child ends too.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { ForecacheError } from '../../model/errors.ts'

/** A child that is ready. */
export interface Child {
  /** The fields of its ready line. */
  readonly ready: Readonly<Record<string, unknown>>
  readonly pid: number
  /** Settles with a text when the child ends without having been asked to. */
  readonly lost: Promise<string>
  /** Asks it to end, waits at most 5 s, then ends it. */
  stop(): Promise<void>
}

/** What to start. */
export interface ChildWish {
  /** For messages: `the shop`. */
  readonly name: string
  readonly script: string
  readonly args: readonly string[]
  readonly readyMs: number
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Ends the child when aborted, ready or not. */
  readonly signal?: AbortSignal
}

const STOP_MS = 5000
const KEPT_LINES = 20

/** @throws FC_CLI_CHILD with the last lines it wrote */
export async function startChild(wish: ChildWish): Promise<Child> {
  const child = spawn(process.execPath, [wish.script, ...wish.args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, ...wish.env },
    ...(wish.signal && { signal: wish.signal }),
  })
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(`${wish.name} ended (${signal ?? `code ${code}`})`))
    child.once('error', (error) => resolve(`${wish.name} could not be started: ${error.message}`))
  })
  const written: string[] = []
  try {
    const ready = await awaitReady(child, { wish, written, ended })
    let stopping = false
    const lost = ended.then((text) =>
      stopping ? new Promise<string>(() => {}) : `${text}; the last it wrote: ${written.join('\n')}`,
    )
    const stop = (): Promise<void> => {
      stopping = true
      return stopChild(child)
    }
    return { ready, pid: child.pid as number, lost, stop }
  } catch (error) {
    await stopChild(child)
    throw error
  }
}

interface Waiting {
  readonly wish: ChildWish
  readonly written: string[]
  readonly ended: Promise<string>
}

function awaitReady(child: ChildProcess, { wish, written, ended }: Waiting): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => {
      clearTimeout(timer)
      reject(new ForecacheError('FC_CLI_CHILD', { reason, written: written.join('\n') || 'nothing' }))
    }
    const timer = setTimeout(() => fail(`${wish.name} was not ready within ${wish.readyMs / 1000} s`), wish.readyMs)
    const read = (line: string): void => {
      const ready = parseReady(line)
      if (ready !== undefined) {
        clearTimeout(timer)
        resolve(ready)
      }
      written.push(line)
      if (written.length > KEPT_LINES) written.shift()
    }
    for (const stream of [child.stdout, child.stderr]) if (stream !== null) createInterface(stream).on('line', read)
    // What it wrote last arrives after its end.
    void ended.then((reason) => setImmediate(fail, reason))
  })
}

function parseReady(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    const parsed: unknown = JSON.parse(line)
    if (typeof parsed !== 'object' || parsed === null) return undefined
    return 'msg' in parsed && parsed.msg === 'ready' ? { ...parsed } : undefined
  } catch {
    return undefined
  }
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  await gone
  clearTimeout(timer)
}
