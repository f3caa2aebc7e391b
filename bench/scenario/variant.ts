/**
 * One way of serving the shop, as a process of its own: `node variant.ts KIND [REDIS-URL]`.
 *
 * Each has its own database with the same rows. Prints one JSON line when it listens.
 */
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { openDatabase, type RowSource } from '../../src/cli/demo/shop/database.ts'
import { FULL_SIZES, seedShop } from '../../src/cli/demo/shop/seed.ts'
import { createShop } from '../../src/cli/demo/shop/shop.ts'
import { createMiddleware } from './middleware.ts'
import { createRedisClient, type RedisClient } from './redis.ts'
import { createResponseCache } from './response-cache.ts'
import { createRowCache } from './row-cache.ts'

process.once('disconnect', () => process.exit(0))
process.once('SIGTERM', () => process.exit(0))
await serve(process.argv[2] ?? 'uncached', process.argv[3])

async function serve(kind: string, redisUrl: string | undefined): Promise<void> {
  const db = await openDatabase()
  await seedShop(db, FULL_SIZES, Date.now())
  const shop = (source: RowSource): RequestListener => createShop({ db, source })
  const redis = redisUrl === undefined ? undefined : await connect(redisUrl)
  const server = createServer(choose(kind, { db, shop, redis }))
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    console.log(JSON.stringify({ msg: 'ready', listen: `http://127.0.0.1:${port}` }))
  })
}

interface Parts {
  readonly db: RowSource
  readonly shop: (source: RowSource) => RequestListener
  readonly redis: RedisClient | undefined
}

function choose(kind: string, { db, shop, redis }: Parts): RequestListener {
  if (kind === 'uncached') return shop(db)
  if (kind === 'middleware') return createMiddleware(shop(db))
  if (redis === undefined) throw new Error(`${kind} needs the URL of a Redis`)
  return kind === 'redis-rows' ? shop(createRowCache(db, redis)) : createResponseCache(shop(db), redis)
}

async function connect(url: string): Promise<RedisClient> {
  const client = createRedisClient(url)
  client.on('error', (error: unknown) => console.error(error))
  await client.connect()
  return client
}
