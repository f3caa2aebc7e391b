/** HTTP/2 of frames made at random: nothing a client sends ends the process or keeps others waiting. */
import { setTimeout as pause } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Http2Client } from '../support/http2-client.ts'
import { block, frame, type Line, openFrames, word } from '../support/http2-frames.ts'
import { CA, secured } from '../support/tls-stand.ts'

const ASKED: readonly Line[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'localhost'],
  [':path', '/x'],
]

describe('http2: anything at all', () => {
  it('survives frames made at random, and serves whoever comes after', async () => {
    const { port } = await secured('http://127.0.0.1:9')
    const bytes = (max: number): fc.Arbitrary<Buffer> => fc.uint8Array({ maxLength: max }).map((some) => Buffer.from(some))
    const payload = fc.oneof(bytes(40), fc.constant(block(ASKED)), fc.nat(0xffff).map(word))
    const one = fc
      .tuple(
        fc.integer({ min: 0, max: 10 }),
        fc.integer({ min: 0, max: 255 }),
        fc.constantFrom(0, 1, 2, 3, 5, 0x7fff_ffff),
        payload,
      )
      .map(([type, flags, stream, content]) => frame(type, flags, stream, content))
    const stream = fc.oneof({ weight: 5, arbitrary: one }, { weight: 1, arbitrary: bytes(30) })

    await fc.assert(
      fc.asyncProperty(fc.array(stream, { minLength: 1, maxLength: 12 }), async (frames) => {
        const peer = await openFrames(port, CA)
        peer.send(...frames).headers(101, ASKED)
        await pause(3)
        peer.destroy()
      }),
      { numRuns: 150 },
    )

    expect((await new Http2Client(port, CA).get('/x')).status).toBe(502)
  })
})
