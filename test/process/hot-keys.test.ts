/**
 * Keys that are read from memory only, in an upstream that forgets what was used least recently.
 */
import { expect, it } from 'vitest'
import { openRaw } from '../support/doors-clients.ts'
import { frontBefore } from '../support/front-here.ts'
import { startRedis } from '../support/redis-here.ts'

const HOT = 50

it('keeps hot keys in an upstream under pressure though it is hardly ever asked for them', { timeout: 60_000 }, async () => {
  const redis = await startRedis(['--maxmemory', '4mb', '--maxmemory-policy', 'allkeys-lru', '--maxmemory-samples', '10'])
  const front = await frontBefore(redis.url)
  const [reader, writer] = [await openRaw(front.port, 'front', 2), await openRaw(redis.port, 'direct', 2)]
  const hot = Array.from({ length: HOT }, (_, i) => `hot:${i}`)
  for (const key of hot) await writer.call('SET', key, 'x'.repeat(100))

  let isOver = false
  let [reads, missing] = [0, 0]
  const reading = (async () => {
    for (; !isOver; reads += 1) {
      if ((await reader.get(hot[reads % HOT] as string)) === null) missing += 1
      if (reads % 200 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })()
  for (let i = 0; i < 12_000; i += 1) {
    await writer.call('SET', `cold:${i}`, 'x'.repeat(1000))
    if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve, 10))
  }
  isOver = true
  await reading
  const evicted = Number(/evicted_keys:(\d+)/.exec(String(await redis.command('INFO', 'stats')))?.[1])
  const left = Number(await redis.command('EXISTS', ...hot))
  const asked = Number(/cmdstat_get:calls=(\d+)/.exec(String(await redis.command('INFO', 'commandstats')))?.[1])
  console.info(
    `${left} of ${HOT} left of ${evicted} evicted; ${reads} reads, ${asked} came to the server, ${missing} found nothing`,
  )
  await reader.close()
  await writer.close()
  await redis.stop()

  expect(evicted).toBeGreaterThan(5000)
  expect(asked).toBeLessThan(reads / 10)
  expect(left).toBeGreaterThanOrEqual(HOT - 2)
})
