/**
 * A server of another kind as a process of its own for a test: started, frozen, killed, and ended with the test's process
 * whatever becomes of the test.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'

const HOST = '127.0.0.1'
/** What starts on a busy machine takes its time. */
export const STARTS_WITHIN_MS = 60_000
const LOOK_EVERY_MS = 10
const STOPS_WITHIN_MS = 5000

const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/** See the module's header. */
export class ServerProcess {
  #child: ChildProcess | undefined

  /** The process now. */
  get pid(): number {
    return this.#child?.pid as number
  }

  /** SIGSTOP and SIGCONT: connections stand, nothing answers. */
  freeze(): void {
    process.kill(this.pid, 'SIGSTOP')
    // A signal takes its time too: a server that runs on another core may answer once more.
    const endAt = performance.now() + STOPS_WITHIN_MS
    while (!isStopped(this.pid) && performance.now() < endAt) continue
  }

  thaw(): void {
    process.kill(this.pid, 'SIGCONT')
  }

  /** Ends it as a power cut does. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child === undefined || hasEnded(child)) return
    const over = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await over
  }

  /**
   * Starts it, and waits until it answers.
   *
   * @param answers looked at again and again; what it throws counts as no
   * @throws when it cannot be started, has ended, or does not answer in time
   */
  protected async launch(
    {
      file,
      args,
      env = {},
    }: { readonly file: string; readonly args: readonly string[]; readonly env?: NodeJS.ProcessEnv | undefined },
    answers: () => Promise<boolean>,
  ): Promise<void> {
    const child = spawn(file, [...args], { stdio: 'ignore', env: { ...process.env, ...env } })
    this.#child = child
    running.add(child)
    let failure: Error | undefined
    child.once('error', (error) => (failure = error))
    child.once('exit', () => running.delete(child))
    const endAt = performance.now() + STARTS_WITHIN_MS
    let last: unknown
    while (performance.now() < endAt) {
      if (failure !== undefined) throw new Error(`these tests need ${file}, which cannot be started`, { cause: failure })
      if (hasEnded(child)) throw new Error(`${file} ended with ${child.exitCode ?? child.signalCode}: ${args.join(' ')}`)
      try {
        if (await answers()) return
      } catch (error) {
        last = error
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    }
    throw new Error(`${file} did not answer within ${STARTS_WITHIN_MS} ms: ${args.join(' ')}`, { cause: last })
  }
}

/** A port of the loopback that nobody has at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, HOST, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null
}

/** Whether each of its threads stands still; where the system does not say, yes. */
function isStopped(pid: number): boolean {
  try {
    const tasks = `/proc/${pid}/task`
    return readdirSync(tasks).every((task) => /\) T /.test(readFileSync(`${tasks}/${task}/stat`, 'latin1')))
  } catch {
    return true
  }
}
