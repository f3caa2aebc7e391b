/**
 * The core of the Redis doors against the real Redis: what it measured to be true of CLIENT TRACKING has to stay true.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/model/clock.ts'
import type { Causality } from '../../src/resp/coherence.ts'
import { SocketDoor, SocketLine } from '../support/coherence-sockets.ts'
import { type RedisHere, startRedis, until } from '../support/redis-here.ts'

const clock = systemClock()
const KEYS = 8

let redis: RedisHere
const open: { close(): void }[] = []

beforeEach(async () => {
  redis = await startRedis()
})

afterEach(async () => {
  for (const one of open.splice(0)) one.close()
  await redis.stop()
})

async function doorOf(causality: Causality = 'session'): Promise<SocketDoor> {
  const door = new SocketDoor(redis.port, clock, causality)
  open.push(door)
  await until(() => door.state === 'on', 'the tracking connection')
  return door
}

function lineOf(door: SocketDoor): SocketLine {
  const line = new SocketLine(redis.port, door)
  open.push(line)
  return line
}

describe('with a real Redis', { timeout: 60_000 }, () => {
  it('keeps thousands of fills under concurrent writers and none of them stale', async () => {
    const door = await doorOf()
    const readers = [lineOf(door), lineOf(door), lineOf(door)]
    const writers = [lineOf(door), lineOf(door)]
    // When each version of each key was confirmed to its writer.
    const confirmed = Array.from({ length: KEYS }, () => [0])
    let isOver = false
    let [hits, misses, worstMs] = [0, 0, 0]
    const faults: string[] = []

    const write = async (line: SocketLine, first: number): Promise<void> => {
      for (let n = 1; !isOver; n += 1) {
        for (let i = first; i < KEYS; i += 2) {
          await line.direct('SET', `k${i}`, `v${n}`)
          ;(confirmed[i] as number[])[n] = clock.now()
        }
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
    }
    const read = async (line: SocketLine): Promise<void> => {
      for (let n = 0; !isOver; n += 1) {
        const i = n % KEYS
        const answer = line.get(`k${i}`)
        const { text, isHit } = await answer
        if (!isHit) {
          misses += 1
          continue
        }
        hits += 1
        const successor = (confirmed[i] as number[])[Number(text.slice(1) || 0) + 1]
        const staleMs = successor === undefined ? 0 : clock.now() - successor
        worstMs = Math.max(worstMs, staleMs)
        if (staleMs > door.coherence.maxStaleMs) faults.push(`k${i} was ${staleMs} ms old`)
        if (n % 64 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    }
    const all = [...writers.map(write), ...readers.map(read)]
    await new Promise((resolve) => setTimeout(resolve, 4000))
    isOver = true
    await Promise.all(all)
    await new Promise((resolve) => setTimeout(resolve, 50))

    expect(faults).toEqual([])
    expect(door.cache.kept).toBeGreaterThan(1000)
    expect(hits).toBeGreaterThan(1000)
    expect(misses).toBeGreaterThan(1000)
    const line = lineOf(door)
    for (let i = 0; i < KEYS; i += 1) {
      const [shown, truth] = [await line.get(`k${i}`), await line.direct('GET', `k${i}`)]
      expect(shown.text).toBe(truth)
    }
    console.info(`${hits} hits, ${misses} misses, ${door.cache.kept} kept, at most ${worstMs.toFixed(2)} ms stale`)
  })

  it('shows a writer his own write at once, on any connection', async () => {
    const door = await doorOf()
    const [writer, other] = [lineOf(door), lineOf(door)]
    for (let n = 0; n < 2000; n += 1) {
      await Promise.all([other.get('k'), other.get('k')])
      const seen = other.get('k')
      await writer.write('k', 'SET', 'k', `v${n}`)

      expect((await writer.get('k')).text).toBe(`v${n}`)
      expect((await other.get('k')).text).toBe(`v${n}`)
      await seen
    }
  })

  it('never shows old data behind a new flag', async () => {
    const door = await doorOf()
    const [direct, ...readers] = [lineOf(door), lineOf(door), lineOf(door)]
    let isOver = false
    const read = async (line: SocketLine): Promise<number> => {
      let checked = 0
      while (!isOver) {
        const flag = Number((await line.get('flag')).text.slice(1) || 0)
        const data = Number((await line.get('data')).text.slice(1) || 0)
        expect(data).toBeGreaterThanOrEqual(flag)
        checked += 1
        if (checked % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      return checked
    }
    const reading = readers.map(read)
    for (let n = 1; n <= 3000; n += 1) {
      await direct.direct('SET', 'data', `v${n}`)
      await direct.direct('SET', 'flag', `v${n}`)
      if (n % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    isOver = true
    const checked = await Promise.all(reading)

    expect(Math.min(...checked)).toBeGreaterThan(100)
  })

  it('lets a value live as long as Redis says, to a few milliseconds', async () => {
    const door = await doorOf()
    const line = lineOf(door)
    await line.direct('SET', 'k', 'v', 'PX', '300')
    const endsAt = clock.now() + 300
    await line.get('k')
    await until(async () => (await line.get('k')).isHit, 'a hit')
    let last = 0
    while (clock.now() < endsAt + 50) {
      const askedAt = clock.now()
      const answer = line.get('k')
      if (!(answer instanceof Promise) && answer.text === 'v') last = askedAt
      await answer
      await new Promise((resolve) => setImmediate(resolve))
    }

    expect(last).toBeGreaterThan(0)
    expect(last).toBeLessThanOrEqual(endsAt + 5)
  })

  it('answers nothing from memory once the upstream has been silent for longer than it may', async () => {
    const door = await doorOf()
    const line = lineOf(door)
    await line.direct('SET', 'k', 'v')
    await line.get('k')
    await until(async () => (await line.get('k')).isHit, 'a hit')
    redis.freeze()
    const frozenAt = clock.now()
    let lastHitAt = frozenAt
    while (clock.now() - frozenAt < 600) {
      const { mayHit } = door.coherence
      if (mayHit.call(door.coherence, line.reader, clock.now())) lastHitAt = clock.now()
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    redis.thaw()

    expect(lastHitAt - frozenAt).toBeGreaterThan(100)
    expect(lastHitAt - frozenAt).toBeLessThanOrEqual(door.coherence.maxStaleMs + 5)
    await until(async () => (await line.get('k')).isHit, 'a hit again')
  })

  it('lets go of everything when the tracking connection is cut, and comes back', async () => {
    const door = await doorOf()
    const [line, direct] = [lineOf(door), lineOf(door)]
    await line.get('k')
    await until(async () => (await line.get('k')).isHit, 'a hit')
    for (let n = 0; n < 10; n += 1) {
      const id = /id=(\d+)[^\n]*name=forecache-tracking/.exec(await direct.direct('CLIENT', 'LIST'))?.[1] as string
      const { changes } = door.coherence.state()
      await direct.direct('CLIENT', 'KILL', 'ID', id)
      await direct.direct('SET', 'k', `v${n}`)
      await until(() => door.coherence.state().changes > changes, 'the end of the tracking connection')

      expect((await line.get('k')).text).toBe(`v${n}`)
      await until(async () => (await line.get('k')).isHit, 'a hit again')
    }
  })

  it('hears of a flush, of expiry that somebody touches, and of another database', async () => {
    const door = await doorOf()
    const [line, direct] = [lineOf(door), lineOf(door)]
    const warm = async (): Promise<void> => {
      await line.get('k')
      await until(async () => (await line.get('k')).isHit, 'a hit')
    }
    await direct.direct('SET', 'k', 'v')
    await warm()
    await direct.direct('FLUSHALL')
    await until(async () => (await line.get('k')).text === '', 'the flush')

    await direct.direct('SET', 'k', 'v')
    await until(async () => (await line.get('k')).text === 'v', 'the value')
    await warm()
    const { changes } = door.coherence.state()
    await direct.direct('SELECT', '3')
    await direct.direct('SET', 'k', 'other')
    await until(() => door.coherence.state().changes > changes, 'the push of another database')
  })

  it('notices within a second or so that others have swapped databases, of which no push tells', async () => {
    const door = await doorOf()
    const [line, direct] = [lineOf(door), lineOf(door)]
    await direct.direct('SET', 'k', 'v')
    await line.get('k')
    await until(async () => (await line.get('k')).isHit, 'a hit')
    await direct.direct('EVAL', "return redis.call('SWAPDB', 0, 1)", '0')
    const swappedAt = clock.now()
    await until(async () => (await line.get('k')).text === '', 'what stands there now')

    expect(clock.now() - swappedAt).toBeLessThan(1500)
  })
})
