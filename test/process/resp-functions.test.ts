/**
 * Libraries of functions in the embedded mode answer as in the real Redis.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type EmbeddedHere, startEmbedded } from '../support/embedded-here.ts'
import { type RedisHere, startOriginal } from '../support/redis-here.ts'
import { RawResp, textOfFrame } from '../support/resp-frames.ts'

const lib = (name: string, body: string): string => `#!lua name=${name}\n${body}`
const STEPS: readonly (readonly string[])[] = [
  ['FUNCTION', 'LOAD', 'x'],
  ['FUNCTION', 'LOAD', '#!lua name=x'],
  ['FUNCTION', 'LOAD', '#!js name=x\n'],
  ['FUNCTION', 'LOAD', '#!lua\nx'],
  ['FUNCTION', 'LOAD', '#!lua name=a-b\nx'],
  ['FUNCTION', 'LOAD', '#!lua name=a other=b\nx'],
  ['FUNCTION', 'LOAD', lib('bad', 'x x')],
  ['FUNCTION', 'LOAD', lib('bad', 'return 1')],
  ['FUNCTION', 'LOAD', lib('bad', 'redis.register_function("f", 1)')],
  ['FUNCTION', 'LOAD', lib('bad', 'redis.register_function("f-g", function() end)')],
  ['FUNCTION', 'LOAD', lib('bad', 'redis.register_function{function_name="f"}')],
  ['FUNCTION', 'LOAD', lib('bad', 'redis.register_function{function_name="f", callback=function() end, flags={"x"}}')],
  ['FUNCTION', 'LOAD', lib('one', 'redis.register_function("f", function(keys, args) return {keys[1], args[1], #args} end)')],
  ['FUNCTION', 'LOAD', lib('one', 'redis.register_function("f", function() return 2 end)')],
  ['FUNCTION', 'LOAD', lib('two', 'redis.register_function("f", function() return 2 end)')],
  ['FCALL', 'f', '1', 'k', 'v', 'w'],
  ['FCALL_RO', 'f', '0'],
  ['FCALL', 'nope', '0'],
  ['FCALL', 'f', 'x'],
  ['FCALL', 'f', '5'],
  ['FCALL', 'f', '-1'],
  ['FUNCTION', 'LIST'],
  ['FUNCTION', 'LIST', 'LIBRARYNAME', 'o*', 'WITHCODE'],
  ['FUNCTION', 'LIST', 'LIBRARYNAME', 'none'],
  ['FUNCTION', 'LIST', 'NOPE'],
  [
    'FUNCTION',
    'LOAD',
    'REPLACE',
    lib('one', 'local n = 0\nredis.register_function("f", function() n = n + 1 return redis.call("incrby", "c", n) end)'),
  ],
  ['FCALL', 'f', '0'],
  ['FCALL', 'f', '0'],
  [
    'FUNCTION',
    'LOAD',
    lib(
      'ro',
      'redis.register_function{function_name="g", callback=function() return redis.call("set", "k", 1) end, flags={"no-writes"}}',
    ),
  ],
  ['FCALL', 'g', '0'],
  ['FCALL_RO', 'g', '0'],
  ['FUNCTION', 'LOAD', lib('err', 'redis.register_function("h", function()\n error("boom") end)')],
  ['FCALL', 'h', '0'],
  ['FUNCTION', 'STATS'],
  ['FUNCTION', 'DELETE', 'ro'],
  ['FUNCTION', 'DELETE', 'ro'],
  ['FUNCTION', 'KILL'],
  ['FUNCTION', 'FLUSH', 'x'],
  ['FUNCTION', 'FLUSH'],
  ['FCALL', 'f', '0'],
]

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
    const lines: string[] = []
    for (const step of STEPS) lines.push(`${step.join(' ')} -> ${textOfFrame(await connection.command(...step))}`)
    return lines
  } finally {
    connection.close()
  }
}

describe('functions in the embedded mode', () => {
  it.each(['2', '3'])('answer as in Redis (RESP%s)', async (version) => {
    // Act
    const expected = await answers(redis.port, version)
    const got = await answers(here.port, version)

    // Assert
    expect(got).toEqual(expected)
  })
})
