/**
 * Processes pinned to one core each: started, waited for, measured by /proc, and ended by their own id.
 *
 * Linux only. What is started here is ended here, also when the benchmark fails or is interrupted.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'

/** The core of the servers, and the one of generator and origin. */
export const SERVER_CORE = 0
export const CLIENT_CORE = 1

/** Ticks per second of /proc/PID/stat; fixed to 100 on every Linux that matters. */
const TICKS_PER_SECOND = 100
const READY_MS = 20_000
const END_MS = 5000

/** What is to run, and where. */
export interface PinnedWish {
  readonly name: string
  readonly core: number
  readonly command: readonly string[]
  /** For `line` and `takes`; default 20 s. */
  readonly deadlineMs?: number
}

/** A pinned process. */
export interface Pinned {
  readonly name: string
  readonly pid: number
  /** The first line on stdout that this accepts. @throws when the process ends before, or after the deadline */
  line(accepts: (line: string) => boolean): Promise<string>
  /** Resolves when the port takes connections. @throws as `line` does */
  takes(port: number): Promise<void>
  /** Ends it; kills it after 5 s. */
  stop(): Promise<void>
}

const running = new Set<ChildProcess>()
// Not SIGKILL: it would leave nginx's workers behind.
process.once('exit', () => running.forEach((child) => child.kill('SIGTERM')))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

/** Starts a process on one core; it ends with this one. */
export function startPinned({ name, core, command, deadlineMs = READY_MS }: PinnedWish): Pinned {
  const child = spawn('taskset', ['-c', String(core), ...command], { stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  let said = ''
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (code) => resolve(`it ended with ${code}: ${said.trim().slice(-800)}`))
  }).finally(() => running.delete(child))
  const lines: string[] = []
  const heard = new Set<() => void>()
  child.stderr?.on('data', (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4000)))
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => {
    lines.push(line)
    for (const one of heard) one()
  })
  const failed = ended.then((why): never => {
    throw new Error(`${name} did not start: ${why}`)
  })
  failed.catch(() => {})
  return {
    name,
    pid: child.pid ?? 0,
    line: (accepts) => Promise.race([failed, lineOf(accepts, { lines, heard, name, deadlineMs })]),
    takes: (port) => Promise.race([failed, takes(port, { name, deadlineMs })]),
    async stop() {
      child.kill('SIGTERM')
      const killing = setTimeout(() => child.kill('SIGKILL'), END_MS)
      await ended
      clearTimeout(killing)
    },
  }
}

async function lineOf(
  accepts: (line: string) => boolean,
  { lines, heard, name, deadlineMs }: { lines: readonly string[]; heard: Set<() => void>; name: string; deadlineMs: number },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${name} was not ready in ${deadlineMs} ms`)), deadlineMs)
    const look = (): void => {
      const found = lines.find(accepts)
      if (found === undefined) return
      clearTimeout(timer)
      heard.delete(look)
      resolve(found)
    }
    heard.add(look)
    look()
  })
}

async function takes(port: number, { name, deadlineMs }: { name: string; deadlineMs: number }): Promise<void> {
  for (const end = Date.now() + deadlineMs; Date.now() < end; await wait(50)) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false))
      socket.once('connect', () => socket.destroy())
    })
    if (isOpen) return
  }
  throw new Error(`${name} did not listen on ${port} in ${deadlineMs} ms`)
}

/** User and system time of a process and all its descendants until now, µs. */
export function cpuMicros(root: number): number {
  const parents = new Map<number, { parent: number; ticks: number }>()
  for (const name of readdirSync('/proc')) if (/^\d+$/.test(name)) readStat(Number(name), parents)
  let ticks = 0
  for (const [pid, stat] of parents) if (isUnder(pid, root, parents)) ticks += stat.ticks
  return (ticks / TICKS_PER_SECOND) * 1e6
}

function readStat(pid: number, into: Map<number, { parent: number; ticks: number }>): void {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The second field is the command in parentheses and may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    into.set(pid, { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) })
  } catch {
    // ended meanwhile
  }
}

function isUnder(pid: number, root: number, parents: ReadonlyMap<number, { parent: number }>): boolean {
  for (let at = pid; at > 0; at = parents.get(at)?.parent ?? 0) if (at === root) return true
  return false
}
