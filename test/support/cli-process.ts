/**
 * The command line as a process: started as a user starts it, read line by line, ended with the test.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** The command in this checkout. */
export const CLI = fileURLToPath(new URL('../../bin/forecache.js', import.meta.url))

/** A command that has ended. */
export interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** A command that runs. */
export interface Running {
  readonly child: ChildProcess
  /** Resolves with the first line of standard output that the test takes; rejects when the command ends before. */
  line(wanted: (line: string) => boolean): Promise<string>
  readonly ended: Promise<Ended>
}

/** Starts the command. @param script another bin/forecache.js */
export function startCli(argv: readonly string[], script = CLI): Running {
  const child = spawn(process.execPath, [script, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  const watchers = new Set<() => void>()
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString('utf8')
    for (const watch of watchers) watch()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString('utf8')
  })
  const ended = new Promise<Ended>((resolve) => child.once('close', (code) => resolve({ code, out, err })))
  const line = (wanted: (line: string) => boolean): Promise<string> =>
    new Promise((resolve, reject) => {
      const watch = (): void => {
        const found = out.split('\n').slice(0, -1).find(wanted)
        if (found === undefined) return
        watchers.delete(watch)
        resolve(found)
      }
      watchers.add(watch)
      watch()
      void ended.then((end) => reject(new Error(`ended with ${end.code} before the line came: ${end.out}${end.err}`)))
    })
  return { child, line, ended }
}

/** Runs the command to its end. */
export function runCliProcess(argv: readonly string[], script = CLI): Promise<Ended> {
  return startCli(argv, script).ended
}
