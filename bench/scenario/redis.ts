/**
 * A Redis of the benchmark's own: Debian's redis-server on a free port, without persistence, in a directory of its own.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from 'redis'
import { freePort } from '../../test/support/server-process.ts'

/** A client of the package `redis`; connect it before use. */
export function createRedisClient(url: string) {
  return createClient({ url })
}

/** See `createRedisClient`. */
export type RedisClient = ReturnType<typeof createRedisClient>

/** A running redis-server. */
export interface RedisServer {
  readonly url: string
  readonly pid: number
  readonly version: string
  stop(): Promise<void>
}

const READY_MS = 10_000

/** @throws Error saying what to install when there is no redis-server */
export async function startRedis(): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'forecache-scenario-'))
  const port = await freePort()
  const child = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const stop = async (): Promise<void> => {
    await endChild(child)
    await rm(directory, { recursive: true, force: true })
  }
  try {
    await awaitLine(child, 'Ready to accept connections')
    const url = `redis://127.0.0.1:${port}`
    return { url, pid: child.pid as number, version: await readVersion(url), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function awaitLine(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`redis-server was not ready within ${READY_MS / 1000} s`)), READY_MS)
    let written = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      written += chunk.toString('utf8')
      if (!written.includes(text)) return
      clearTimeout(timer)
      resolve()
    })
    child.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer)
      const hint =
        error.code === 'ENOENT' ? 'redis-server is not installed; on Debian: apt-get install redis-server' : error.message
      reject(new Error(hint))
    })
    child.once('exit', (code) => {
      clearTimeout(timer)
      reject(new Error(`redis-server ended with code ${code}: ${written.slice(-500)}`))
    })
  })
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.kill('SIGTERM')
  await gone
}

async function readVersion(url: string): Promise<string> {
  const client = createRedisClient(url)
  await client.connect()
  const info = await client.info('server')
  client.destroy()
  return /redis_version:(\S+)/.exec(info)?.[1] ?? 'unknown'
}
