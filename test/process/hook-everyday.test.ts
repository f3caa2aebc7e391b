import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runProgram } from '../support/hook-here.ts'
import { type RedisHere, startRedis } from '../support/redis-here.ts'

let servers: readonly RedisHere[] = []

beforeAll(async () => {
  servers = [await startRedis(), await startRedis()]
})
afterAll(async () => {
  for (const server of servers) await server.stop()
})

describe('hook: what applications do every day', () => {
  it.each([
    ['ioredis5', 'everyday-ioredis.ts'],
    ['ioredis6', 'everyday-ioredis.ts'],
    ['redis5', 'everyday-node-redis.ts'],
    ['redis6', 'everyday-node-redis.ts'],
  ])('%s tells the same with the hook and without, and its process ends', async (client, program) => {
    const [plain, hooked] = await Promise.all(
      servers.map((server, index) => runProgram({ program, isHooked: index === 1, env: { CLIENT: client, URL: server.url } })),
    )

    expect(plain?.code, plain?.stderr).toBe(0)
    expect(hooked?.code, hooked?.stderr).toBe(0)
    expect(hooked?.lines).toEqual(plain?.lines)
    expect(hooked?.stats?.hits ?? 0).toBeGreaterThan(30)
    expect(hooked?.stderr.replace(/^STATS.*$/m, '')).toBe(plain?.stderr.replace(/^STATS.*$/m, ''))
  })
})
