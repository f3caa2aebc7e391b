import { describe, expect, it } from 'vitest'
import { createRandom } from '../../../src/model/random.ts'
import { REQUEST_LIMITS } from '../../../src/wire/resp-request.ts'
import {
  chunksOf,
  dream,
  pick,
  readReplies,
  readRequests,
  REPLIES,
  REQUESTS,
  type RequestReading,
} from '../../support/resp-fuzz.ts'

/** The long form: FORECACHE_FUZZ=10000000. */
const INPUTS = Number(process.env['FORECACHE_FUZZ'] ?? 20_000)
const SEED = Number(process.env['FORECACHE_SEED'] ?? Date.now() % 1_000_000)
const LONG_MS = 6 * 3600 * 1000

const READINGS: readonly RequestReading[] = [
  { limits: { ...REQUEST_LIMITS }, isTrusted: true, isStreaming: false },
  { limits: { ...REQUEST_LIMITS }, isTrusted: false, isStreaming: false },
  { limits: { ...REQUEST_LIMITS, largeBytes: 40 }, isTrusted: true, isStreaming: true },
  { limits: { ...REQUEST_LIMITS, largeBytes: 40, maxBulkBytes: 200 }, isTrusted: true, isStreaming: false },
]

describe(`resp scanners: ${INPUTS} mutations of real traffic, seed ${SEED}`, () => {
  it(
    'find the same requests and faults however the bytes are cut',
    () => {
      const random = createRandom(SEED)
      for (let i = 0; i < INPUTS; i += 1) {
        const input = dream(random, REQUESTS)
        const reading = READINGS[i % READINGS.length] as RequestReading
        const cut = i % 8 === 0 ? { every: 1 + pick(random, 3) } : { at: pick(random, input.length + 1) }
        const whole = readRequests(chunksOf(input, {}), reading)
        const parts = readRequests(chunksOf(input, cut), reading)
        if (whole.join() !== parts.join())
          expect({ input: show(input), cut, found: parts }).toEqual({ input: show(input), cut, found: whole })
      }
    },
    LONG_MS,
  )

  it(
    'find the same replies however the bytes are cut',
    () => {
      const random = createRandom(SEED)
      for (let i = 0; i < INPUTS; i += 1) {
        const input = dream(random, REPLIES)
        const cut = i % 8 === 0 ? { every: 1 + pick(random, 3) } : { at: pick(random, input.length + 1) }
        const whole = readReplies(chunksOf(input, {}))
        const parts = readReplies(chunksOf(input, cut))
        if (whole.join() !== parts.join())
          expect({ input: show(input), cut, found: parts }).toEqual({ input: show(input), cut, found: whole })
      }
    },
    LONG_MS,
  )

  it('find the same in recorded traffic cut at every byte', () => {
    for (const input of REQUESTS.map((bytes) => bytes.subarray(0, 400))) {
      const reading = READINGS[0] as RequestReading
      const whole = readRequests([input], reading)
      for (let at = 0; at <= input.length; at += 1) expect(readRequests(chunksOf(input, { at }), reading)).toEqual(whole)
    }
    for (const input of REPLIES.map((bytes) => bytes.subarray(0, 400))) {
      const whole = readReplies([input])
      for (let at = 0; at <= input.length; at += 1) expect(readReplies(chunksOf(input, { at }))).toEqual(whole)
    }
  })
})

function show(input: Buffer): string {
  return JSON.stringify(input.toString('latin1'))
}
