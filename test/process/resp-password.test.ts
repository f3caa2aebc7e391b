/**
 * Who has not logged in is answered by the embedded mode as by Redis with `requirepass`.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EmbeddedHere, startEmbedded } from '../support/embedded-here.ts'
import { type RedisHere, startOriginal } from '../support/redis-here.ts'
import { RawResp, textOfFrame } from '../support/resp-frames.ts'

const PASSWORD = 'correct-horse'
const STEPS: readonly (readonly string[])[] = [
  ['PING'],
  ['GET', 'k'],
  ['SET', 'k', 'v'],
  ['NOPE'],
  ['GET'],
  ['MULTI'],
  ['EXEC'],
  ['SUBSCRIBE', 'c'],
  ['HELLO'],
  ['HELLO', '3'],
  ['HELLO', '3', 'AUTH', 'default', 'wrong'],
  ['AUTH', 'wrong'],
  ['AUTH', 'nobody', PASSWORD],
  ['AUTH', 'a', 'b', 'c'],
  ['RESET'],
  ['AUTH', PASSWORD],
  ['SET', 'k', 'v'],
  ['GET', 'k'],
  ['RESET'],
  ['GET', 'k'],
  ['HELLO', '3', 'AUTH', 'default', PASSWORD, 'SETNAME', 'me'],
  ['GET', 'k'],
  ['CLIENT', 'GETNAME'],
  ['ACL', 'WHOAMI'],
  ['CONFIG', 'SET', 'requirepass', ''],
  ['RESET'],
  ['GET', 'k'],
  ['AUTH', 'anything'],
  ['AUTH', 'default', 'anything'],
]

let redis: RedisHere
let here: EmbeddedHere

beforeAll(async () => {
  redis = await startOriginal()
  await redis.command('CONFIG', 'SET', 'requirepass', PASSWORD)
  here = await startEmbedded({ password: PASSWORD })
})

afterAll(async () => {
  await Promise.all([redis.stop(), here.stop()])
})

async function answers(port: number): Promise<readonly string[]> {
  const connection = await RawResp.open(port)
  try {
    const lines: string[] = []
    for (const step of STEPS) {
      const text = textOfFrame(await connection.command(...step))
      lines.push(`${step.join(' ')} -> ${text.replace(/\$"id", :"\d+"/, 'id')}`)
    }
    return lines
  } finally {
    connection.close()
  }
}

describe('a password in the embedded mode', () => {
  it('is asked for as Redis asks', async () => {
    // Act
    const expected = await answers(redis.port)
    const got = await answers(here.port)

    // Assert
    expect(got).toEqual(expected)
  })
})
