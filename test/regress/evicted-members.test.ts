/**
 * A store that is full may evict the list of members while the log beside it stands: who is missing from it then is not dead.
 */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../../src/model/clock.ts'
import { createRandom } from '../../src/model/random.ts'
import { parseRedisUrl } from '../../src/tier/redis-address.ts'
import { RedisLog } from '../../src/tier/redis-log.ts'
import { createRedis } from '../../src/tier/redis.ts'
import { type RedisHere, startRedis } from '../support/redis-here.ts'

const MEMBER_TTL_MS = 300
const DEADLINE_MS = 2000

let server: RedisHere
beforeAll(async () => {
  server = await startRedis()
})
afterAll(() => server.stop())

/** They are heard for longer than a time to live. */
async function live(members: readonly RedisLog[]): Promise<void> {
  for (const endAt = performance.now() + MEMBER_TTL_MS * 1.2; performance.now() < endAt; ) {
    await Promise.all(members.map((member) => member.prove(DEADLINE_MS)))
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

it('does not take members for dead whose list was evicted, nor those for evicted who have left', async () => {
  const redis = createRedis({ target: parseRedisUrl(server.url), clock: systemClock(), random: createRandom(1) })
  await redis.ready(DEADLINE_MS)
  const [one, other] = [1, 2].map(
    () => new RedisLog({ redis, prefix: 'evicted', memberTtlMs: MEMBER_TTL_MS, maxRecords: 1000 }),
  ) as [RedisLog, RedisLog]
  const { generation } = await one.prove(DEADLINE_MS)
  await live([one, other])
  expect(await one.append(generation, ['{}'], DEADLINE_MS)).toMatchObject({
    first: 1,
    members: expect.toSatisfy((of) => of.length === 2),
  })

  await server.command('UNLINK', '{evictedlog}:members')
  const proof = await one.prove(DEADLINE_MS)
  const appended = await one.append(generation, ['{}'], DEADLINE_MS)

  expect(proof.generation).toBe(generation)
  expect(proof.unsureMs).toBeGreaterThan(0)
  expect(appended.unsureMs).toBeGreaterThan(0)
  await live([one, other])
  expect((await one.prove(DEADLINE_MS)).unsureMs).toBeLessThanOrEqual(0)
  await Promise.all([one.leave(DEADLINE_MS), other.leave(DEADLINE_MS)])
  const next = new RedisLog({ redis, prefix: 'evicted', memberTtlMs: MEMBER_TTL_MS, maxRecords: 1000 })
  expect(await next.prove(DEADLINE_MS)).toMatchObject({ generation, members: [next.member] })
  expect((await next.append(generation, ['{}'], DEADLINE_MS)).unsureMs).toBeLessThanOrEqual(0)
  redis.close()
})
