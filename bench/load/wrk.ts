/**
 * wrk, pinned to the generator's core: one run, its counts and percentiles.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { CLIENT_CORE } from '../rig/pinned.ts'

/** One run. */
export interface WrkWish {
  readonly port: number
  /** What a path begins with; the key's number follows. */
  readonly prefix: string
  readonly keys: number
  readonly connections: number
  readonly seconds: number
  readonly headers: readonly string[]
  /** Requests sent at once on a connection. */
  readonly pipelined: number
  /** Keys in order instead of at random. */
  readonly walk?: boolean
  /** Of the keys drawn at random; default 20. */
  readonly seed?: number
}

/** What wrk counted; times in µs. With pipelining a time is that of the whole batch. */
export interface WrkResult {
  readonly requests: number
  readonly micros: number
  readonly bytes: number
  /** Answers above 399, broken and timed out connections. */
  readonly failed: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

const execute = promisify(execFile)

/** @throws when wrk is absent or fails */
export async function runWrk(wish: WrkWish): Promise<WrkResult> {
  const { stdout } = await execute('taskset', [
    ...['-c', String(CLIENT_CORE), 'wrk', '-t1', `-c${wish.connections}`, `-d${wish.seconds}s`, '--timeout', '10s'],
    ...wish.headers.flatMap((line) => ['-H', line]),
    ...['-s', join(import.meta.dirname, 'wrk.lua'), `http://127.0.0.1:${wish.port}/`, '--'],
    ...[wish.prefix, String(wish.keys), String(wish.pipelined), wish.walk === true ? 'walk' : 'random', String(wish.seed ?? 20)],
  ])
  const line = stdout.split('\n').find((one) => one.startsWith('{'))
  if (line === undefined) throw new Error(`wrk printed no result: ${stdout}`)
  return JSON.parse(line) as WrkResult
}
