/**
 * Scripts in the embedded mode answer as in the real Redis, errors and all.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EmbeddedHere, startEmbedded } from '../support/embedded-here.ts'
import { type RedisHere, startOriginal } from '../support/redis-here.ts'
import { RawResp, textOfFrame } from '../support/resp-frames.ts'
import { SCRIPTS } from '../support/resp-scripts.ts'

let redis: RedisHere
let here: EmbeddedHere

beforeAll(async () => {
  ;[redis, here] = await Promise.all([startOriginal(), startEmbedded()])
})

afterAll(async () => {
  await Promise.all([redis.stop(), here.stop()])
})

async function answers(port: number, version: string): Promise<readonly string[]> {
  const connection = await RawResp.open(port)
  try {
    await connection.command('FLUSHALL')
    await connection.command('HELLO', version)
    await connection.command('SET', 'k', 'v')
    const lines: string[] = []
    for (const [script, ...rest] of SCRIPTS) {
      lines.push(`${script} -> ${textOfFrame(await connection.command('EVAL', script, ...rest))}`)
    }
    return lines
  } finally {
    connection.close()
  }
}

describe('scripts in the embedded mode', () => {
  it.each(['2', '3'])('answer as in Redis (RESP%s)', async (version) => {
    // Act
    const expected = await answers(redis.port, version)
    const got = await answers(here.port, version)

    // Assert
    expect(got).toEqual(expected)
  })

  it('are kept by their digest and forgotten by SCRIPT FLUSH', async () => {
    const connection = await RawResp.open(here.port)
    try {
      const sha = (await connection.command('SCRIPT', 'LOAD', 'return ARGV[1]')).text
      expect(sha).toBe('098e0f0d1448c0a81dafe820f66d460eb09263da')
      expect((await connection.command('EVALSHA', sha.toUpperCase(), '0', 'x')).text).toBe('x')
      expect(textOfFrame(await connection.command('SCRIPT', 'EXISTS', sha, 'none'))).toBe('*[:"1", :"0"]')
      expect((await connection.command('SCRIPT', 'FLUSH')).text).toBe('OK')
      expect((await connection.command('EVALSHA', sha, '0', 'x')).text).toBe('NOSCRIPT No matching script. Please use EVAL.')
    } finally {
      connection.close()
    }
  })

  it('end when their time is over, and the server goes on', async () => {
    const connection = await RawResp.open(here.port)
    try {
      await connection.command('CONFIG', 'SET', 'lua-time-limit', '50')
      const reply = await connection.command('EVAL', 'while true do end', '0')
      expect(reply.text).toContain('Script killed')
      expect((await connection.command('PING')).text).toBe('PONG')
    } finally {
      await connection.command('CONFIG', 'SET', 'lua-time-limit', '5000')
      connection.close()
    }
  })
})
