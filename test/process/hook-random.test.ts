import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runProgram } from '../support/hook-here.ts'
import { type RedisHere, startRedis } from '../support/redis-here.ts'

/** HOOK_SEED and HOOK_STEPS of the environment make other or longer programs. */
const SEED = Number(process.env['HOOK_SEED'] ?? '1')
const STEPS = process.env['HOOK_STEPS'] ?? '1500'

const CASES = [
  { client: 'ioredis5', program: 'random-ioredis.ts', options: {} },
  { client: 'ioredis6', program: 'random-ioredis.ts', options: {} },
  { client: 'ioredis6', program: 'random-ioredis.ts', options: { keyPrefix: 'p:', db: 1, protocol: 2 } },
  { client: 'ioredis6', program: 'random-ioredis.ts', options: { enableAutoPipelining: true, stringNumbers: true } },
  { client: 'ioredis6', program: 'random-ioredis.ts', options: { replyMapping: 'resp3' } },
  { client: 'redis5', program: 'random-node-redis.ts', options: {} },
  { client: 'redis5', program: 'random-node-redis.ts', options: { RESP: 3, database: 1 } },
  { client: 'redis6', program: 'random-node-redis.ts', options: {} },
  { client: 'redis6', program: 'random-node-redis.ts', options: { RESP: 2, keyPrefix: 'p:' } },
] as const

let servers: readonly RedisHere[] = []

beforeAll(async () => {
  servers = [await startRedis(), await startRedis()]
})
afterAll(async () => {
  for (const server of servers) await server.stop()
})

describe('hook: random programs', () => {
  it.each(CASES)('$client $options sees the same with the hook and without', async ({ client, program, options }) => {
    const [plain, hooked] = await Promise.all(
      servers.map(async (server, index) => {
        await server.command('FLUSHALL')
        const env = { CLIENT: client, URL: server.url, SEED: String(SEED), STEPS, OPTIONS: JSON.stringify(options) }
        return runProgram({ program, isHooked: index === 1, env })
      }),
    )

    expect(plain?.code, plain?.stderr).toBe(0)
    expect(hooked?.code, hooked?.stderr).toBe(0)
    const at = plain?.lines.findIndex((line, i) => line !== hooked?.lines[i]) ?? -1
    expect(at < 0 ? 'the same' : `seed ${SEED}: ${hooked?.lines[at]}`).toBe(at < 0 ? 'the same' : plain?.lines[at])
    expect(hooked?.lines.length).toBe(plain?.lines.length)
    expect(hooked?.stats?.hits ?? 0).toBeGreaterThan(0)
  })
})
