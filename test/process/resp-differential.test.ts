/**
 * The embedded mode answers as the real Redis does: random commands with values at the edges, and scenes of several
 * connections. Longer runs: `node test/support/resp-duel.ts`.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EmbeddedHere, startEmbedded } from '../support/embedded-here.ts'
import { type RedisHere, startOriginal } from '../support/redis-here.ts'
import { describeDifference, duel } from '../support/resp-duel.ts'
import { RawResp } from '../support/resp-frames.ts'
import { SCENES } from '../support/resp-scenes.ts'
import { play } from '../support/resp-stage.ts'

const SEEDS = Array.from({ length: 12 }, (_, i) => i + 1)
const COMMANDS = 1000

let redis: RedisHere
let here: EmbeddedHere

beforeAll(async () => {
  ;[redis, here] = await Promise.all([startOriginal(), startEmbedded()])
})

afterAll(async () => {
  await Promise.all([redis.stop(), here.stop()])
})

describe('embedded mode beside Redis', () => {
  it.each(SEEDS)('gives the same replies to random commands (seed %i)', async (seed) => {
    // Act
    const found = await duel({ real: redis.port, ours: here.port, seed, commands: COMMANDS })

    // Assert
    expect(found === undefined ? '' : describeDifference(found)).toBe('')
  })

  it.each(SCENES.map((scene) => [`${scene.name} (RESP${scene.version})`, scene] as const))(
    'does the same: %s',
    async (_, scene) => {
      // Act
      const expected = await play(redis.port, scene)
      const got = await play(here.port, scene)

      // Assert
      expect(got).toEqual(expected)
    },
  )
})

describe('embedded mode at the edge of what fits', () => {
  it('refuses what it cannot make, and goes on', async () => {
    // Arrange
    const small = await startEmbedded({ maxBytes: 4 * 1024 * 1024 })
    const connection = await RawResp.open(small.port)

    // Act
    const texts: string[] = []
    for (const args of [
      ['SETRANGE', 'k', '536870911', 'x'],
      ['SETRANGE', 'k', '536870912', 'x'],
      ['SETBIT', 'k', '4294967295', '1'],
      ['BITFIELD', 'k', 'SET', 'u8', '4294967280', '1'],
      ['SET', 'k', 'v'],
      ['CONFIG', 'SET', 'maxmemory-policy', 'noeviction'],
      ['SET', 'large', 'x'.repeat(5 * 1024 * 1024)],
      ['GET', 'k'],
    ]) {
      texts.push((await connection.command(...args)).text)
    }
    connection.close()
    await small.stop()

    // Assert
    const full = "OOM command not allowed when used memory > 'maxmemory'."
    const tooLong = 'ERR string exceeds maximum allowed size (proto-max-bulk-len)'
    expect(texts).toEqual([full, tooLong, full, full, 'OK', 'OK', full, 'v'])
  })
})
