/** Workers of two machines on one log: all of them are its members, and what one is told holds in each. */
import { request } from 'undici'
import { describe, expect, it, onTestFinished } from 'vitest'
import { spawnGateway, type SpawnedGateway } from '../support/gateway-spawn.ts'
import { startRedis, until } from '../support/redis-here.ts'
import { VersionedOrigin } from '../support/workers-stand.ts'

const HOST = { host: 'a.test' }
/** Two workers and a supervisor each. */
const MEMBERS = 6

/** A connection of its own each time, so that any worker may answer. */
async function read({ port }: SpawnedGateway, path: string): Promise<string> {
  const { body } = await request(`http://127.0.0.1:${port}${path}`, { headers: { ...HOST, connection: 'close' } })
  return body.text()
}

async function invalidate(
  { apiPort }: SpawnedGateway,
  wish: object,
): Promise<{ token: string; nodes: { expected: number; acknowledged: number } }> {
  const { body } = await request(`http://127.0.0.1:${apiPort}/v1/invalidate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(wish),
  })
  return (await body.json()) as Awaited<ReturnType<typeof invalidate>>
}

describe('workers of several machines', () => {
  it('follow one log, whichever process was told', { timeout: 60_000 }, async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const origin = new VersionedOrigin()
    const args = ['--origin', await origin.listen(), '--workers', '2', '--l2', redis.url]
    const gateways = [await spawnGateway(args), await spawnGateway(args)] as const
    const [a, b] = gateways
    await until(async () => (await invalidate(a, { tags: ['none'] })).nodes.acknowledged === MEMBERS, 'all to follow', 20_000)

    for (let version = 1; version <= 5; version += 1) {
      for (let i = 0; i < 8; i += 1) for (const gateway of gateways) await read(gateway, '/k')
      origin.raise('/k')
      const { nodes } = await invalidate(version % 2 === 0 ? a : b, { tags: ['p:/k'] })
      expect(nodes).toEqual({ expected: MEMBERS, acknowledged: MEMBERS })
      for (let i = 0; i < 8; i += 1) for (const gateway of gateways) expect(await read(gateway, '/k')).toBe(String(version))
    }
  })
})
