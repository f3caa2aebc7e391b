/**
 * Programs that limit rates and lock: express-rate-limit with rate-limit-redis, rate-limiter-flexible, @fastify/rate-limit,
 * redlock.
 */
import { createRequire } from 'node:module'
import fastifyRateLimit from '@fastify/rate-limit'
import express from 'express'
import { rateLimit } from 'express-rate-limit'
import fastify from 'fastify'
import { type RedisReply, RedisStore } from 'rate-limit-redis'
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import { type Talk, tens } from './talk.ts'

const require = createRequire(import.meta.url)
const SECONDS = /\d+/g

export async function limitExpress(talk: Talk, port: number): Promise<void> {
  const client = talk.ioredis(port)
  const store = new RedisStore({
    sendCommand: (command: string, ...args: string[]) => client.call(command, ...args) as Promise<RedisReply>,
    prefix: 'express:',
  })
  const app = express()
  app.use(
    rateLimit({
      windowMs: 60_000,
      limit: 3,
      standardHeaders: 'draft-8',
      legacyHeaders: true,
      store,
      keyGenerator: () => 'someone',
    }),
  )
  app.get('/', (_, response) => void response.send('here'))
  const url = await talk.serve(app)
  for (let i = 0; i < 5; i += 1) {
    await talk.say(`request ${i}`, async () => {
      const response = await fetch(url)
      const left = response.headers.get('x-ratelimit-remaining')
      const reset = (response.headers.get('ratelimit') ?? '').replace(SECONDS, (text) => tens(Number(text) * 1000))
      return [response.status, left, reset, response.headers.has('retry-after'), await response.text()]
    })
  }
  await talk.say('decrement', () => store.decrement('someone'))
  await talk.say('get', async () => (await store.get('someone'))?.totalHits)
  await talk.say('reset', () => store.resetKey('someone'))
  await talk.say('get after it', async () => (await store.get('someone'))?.totalHits ?? 'none')
  await talk.say('request after it', async () => (await fetch(url)).status)
  await client.script('FLUSH')
  await talk.say('request after the scripts were forgotten', async () => (await fetch(url)).status)
  await talk.say('keys', () => client.keys('express:*'))
  await talk.say('time to live', async () => tens(await client.pttl('express:someone')))
}

/** What a limiter says, times roughly. */
function told(answer: unknown): unknown {
  if (!(answer instanceof RateLimiterRes)) return answer
  const { consumedPoints, remainingPoints, isFirstInDuration, msBeforeNext } = answer
  return [consumedPoints, remainingPoints, isFirstInDuration, tens(msBeforeNext)]
}

async function limitFlexibly(
  talk: Talk,
  client: { readonly storeClient: unknown; readonly useRedisPackage: boolean },
): Promise<void> {
  const options = { ...client, points: 3, duration: 60, blockDuration: 120 }
  const limiter = new RateLimiterRedis({ ...options, keyPrefix: 'flexible' })
  const rejected = (asked: Promise<unknown>): Promise<unknown> =>
    asked.then(told, (error: unknown) => (error instanceof Error ? `${error.name} ${error.message}` : ['rejected', told(error)]))
  for (let i = 0; i < 5; i += 1) await talk.say(`consume ${i}`, () => rejected(limiter.consume('someone')))
  await talk.say('get', () => rejected(limiter.get('someone')))
  await talk.say('penalty', () => rejected(limiter.penalty('other', 2)))
  await talk.say('reward', () => rejected(limiter.reward('other', 1)))
  await talk.say('consume two', () => rejected(limiter.consume('other', 2)))
  await talk.say('block', () => rejected(limiter.block('third', 30)))
  await talk.say('consume blocked', () => rejected(limiter.consume('third')))
  await talk.say('set', () => rejected(limiter.set('fourth', 2, 10) as Promise<unknown>))
  await talk.say('delete', () => limiter.delete('someone'))
  await talk.say('get after it', () => rejected(limiter.get('someone')))
  const quick = new RateLimiterRedis({ ...options, keyPrefix: 'quick', points: 1, duration: 1, inMemoryBlockOnConsumed: 2 })
  await talk.say('quick', () => rejected(quick.consume('x')))
  await talk.say('too quick', () => rejected(quick.consume('x')))
  const many = await Promise.all(Array.from({ length: 8 }, () => rejected(limiter.consume('crowd'))))
  talk.lines.push(`at once: ${JSON.stringify(many)}`)
}

export const limitFlexiblyByIoredis = (talk: Talk, port: number): Promise<void> =>
  limitFlexibly(talk, { storeClient: talk.ioredis(port), useRedisPackage: false })

export async function limitFlexiblyByNodeRedis(talk: Talk, port: number): Promise<void> {
  await limitFlexibly(talk, { storeClient: await talk.nodeRedis(port), useRedisPackage: true })
}

export async function limitFastify(talk: Talk, port: number): Promise<void> {
  const redis = talk.ioredis(port)
  const app = fastify()
  talk.after(() => app.close())
  await app.register(fastifyRateLimit, {
    max: 2,
    timeWindow: '1 minute',
    redis,
    nameSpace: 'fastify-',
    keyGenerator: () => 'someone',
  })
  app.get('/', () => 'here')
  app.get('/own', { config: { rateLimit: { max: 1, timeWindow: 60_000, continueExceeding: true } } }, () => 'own')
  for (const path of ['/', '/', '/', '/own', '/own']) {
    await talk.say(path, async () => {
      const { statusCode, headers, body } = await app.inject(path)
      const reset = tens(Number(headers['x-ratelimit-reset']) * 1000)
      return [statusCode, headers['x-ratelimit-limit'], headers['x-ratelimit-remaining'], reset, statusCode === 200 ? body : '']
    })
  }
  await talk.say('keys', async () => (await redis.keys('fastify-*')).toSorted())
}

interface Lock {
  readonly resource: string
  unlock(): Promise<unknown>
  extend(ms: number): Promise<Lock>
}
type Redlock = new (
  clients: readonly unknown[],
  options: object,
) => { lock(resource: string | string[], ms: number): Promise<Lock> }

export async function lock(talk: Talk, port: number): Promise<void> {
  const client = talk.ioredis(port)
  const locks = new (require('redlock') as Redlock)([client], { retryCount: 0 })
  const patient = new (require('redlock') as Redlock)([client], { retryCount: 20, retryDelay: 20, retryJitter: 5 })
  const first = await locks.lock('resource', 30_000)
  await talk.say('locked', async () => [first.resource, tens(await client.pttl('resource'))])
  await talk.say('locked again', async () => (await locks.lock('resource', 30_000)).resource)
  const longer = await first.extend(50_000)
  await talk.say('extended', async () => tens(await client.pttl('resource')))
  await talk.say('unlocked', async () => void (await longer.unlock()))
  await talk.say('unlocked again', async () => void (await longer.unlock()))
  await talk.say('extended after it', async () => void (await longer.extend(1000)))
  await talk.say('several', async () => (await locks.lock(['a', 'b'], 30_000)).resource)
  await talk.say('one of them', async () => (await locks.lock(['b', 'c'], 30_000)).resource)
  await talk.say('none is left over', () => client.exists('c'))
  await locks.lock('short', 60)
  await talk.say('waited for', async () => (await patient.lock('short', 30_000)).resource)
}
