/**
 * An application that reads Redis and has a cache beside, with nothing that connects the two but the hook it was started with.
 */
import { Redis } from 'ioredis5'
import { createCache } from '../../../src/entry/index.ts'
import { stats } from '../../../src/entry/redis.ts'

const cache = createCache()
const values = cache.namespace(process.env['FORECACHE_NAMESPACE'] ?? 'redis')
console.log('before', await values.set('before', 'own').catch(({ code }: { code: string }) => code))
const redis = new Redis({ port: Number(process.env['REDIS_PORT']), host: '127.0.0.1' })
await redis.set('k', 'of the client')
const say = async (): Promise<void> => console.log(String((await values.get<Buffer>('k'))?.data), await redis.get('k'))
await say()
await values.set('k', 'of the library')
await say()
const endAt = performance.now() + 5000
while (values.peek('k') === undefined && performance.now() < endAt) {
  await redis.get('k')
  await new Promise((resolve) => setTimeout(resolve, 5))
}
console.log('in memory', String(values.peek<Buffer>('k')))
await cache.invalidate({ namespaces: [process.env['FORECACHE_NAMESPACE'] ?? 'redis'] })
console.log('forgotten', values.peek('k') === undefined)
console.log(
  'clients',
  stats()
    ?.upstreams.map(({ clients }) => clients)
    .join(),
)
console.log('deleted', await values.delete('k'), await redis.get('k'))
const isOver = new Promise((resolve) => redis.once('end', resolve))
await redis.quit()
await isOver
console.log('nobody', await values.get('k'), await values.set('k', 'x').catch(({ code }: { code: string }) => code))
