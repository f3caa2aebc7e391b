/**
 * The variants, started: four shops, one of them behind the gateway as well, and a Redis.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { startChild } from '../../src/cli/demo/child.ts'
import { POLICIES } from '../../src/cli/demo/demo.ts'
import { startRedis } from './redis.ts'

/** One way of serving the shop. */
export interface Variant {
  readonly name: string
  readonly origin: string
  /** Every process that works on its requests. */
  readonly pids: readonly number[]
}

/** All of them; the first is the one others are compared with. */
export interface Plan {
  readonly variants: readonly Variant[]
  readonly redisVersion: string
  readonly versions: Readonly<Record<string, string>>
  stop(): Promise<void>
}

const READY_MS = 120_000
const VARIANT = fileURLToPath(new URL('./variant.ts', import.meta.url))
const CLI = fileURLToPath(new URL('../../bin/forecache.js', import.meta.url))

/** Starts everything, or nothing stays. */
export async function createPlan(): Promise<Plan> {
  const stops: (() => Promise<void>)[] = []
  const stop = async (): Promise<void> => {
    for (const end of stops.reverse()) await end()
  }
  const start = async (name: string, script: string, args: readonly string[]): Promise<{ origin: string; pid: number }> => {
    const child = await startChild({ name, script, args, readyMs: READY_MS })
    stops.push(() => child.stop())
    return { origin: originOf(child.ready['listen']), pid: child.pid }
  }
  try {
    const redis = await startRedis()
    stops.push(() => redis.stop())
    const uncached = await start('uncached', VARIANT, ['uncached'])
    const rows = await start('redis-rows', VARIANT, ['redis-rows', redis.url])
    const responses = await start('redis-response', VARIANT, ['redis-response', redis.url])
    const middleware = await start('middleware', VARIANT, ['middleware'])
    const gateway = await start('gateway', CLI, [
      'serve',
      POLICIES,
      '--origin',
      uncached.origin,
      '--listen',
      '127.0.0.1:0',
      '--api',
      '127.0.0.1:0',
    ])
    const variants = [
      { name: 'uncached', origin: uncached.origin, pids: [uncached.pid] },
      { name: 'Redis, rows (cache-aside)', origin: rows.origin, pids: [rows.pid, redis.pid] },
      { name: 'Redis, whole responses', origin: responses.origin, pids: [responses.pid, redis.pid] },
      { name: 'forecache, in the process', origin: middleware.origin, pids: [middleware.pid] },
      { name: 'forecache, gateway', origin: gateway.origin, pids: [gateway.pid, uncached.pid] },
    ]
    return { variants, redisVersion: redis.version, versions: readVersions(), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function originOf(listen: unknown): string {
  const text = String(listen)
  return text.startsWith('http') ? text : `http://${text}`
}

function readVersions(): Record<string, string> {
  const names = ['@electric-sql/pglite', 'redis', 'undici']
  return Object.fromEntries(
    names.map((name) => {
      const file = new URL(`../../node_modules/${name}/package.json`, import.meta.url)
      return [name, (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version]
    }),
  )
}
