/** The origin's body: back-pressure, stalls, cancelling, breaking off. */
import { describe, expect, it } from 'vitest'
import { createVirtualClock } from '../../../src/model/virtual-clock.ts'
import { HIGH_WATER_BYTES, OriginBody } from '../../../src/server/origin-body.ts'

function stand() {
  const clock = createVirtualClock()
  const told: string[] = []
  const control = {
    pause: () => void told.push('pause'),
    resume: () => void told.push('resume'),
    abort: (reason: Error) => void told.push(`abort ${reason.message}`),
  }
  const body = new OriginBody(control, clock, { stallMs: 1000 })
  return { clock, told, body, reader: body[Symbol.asyncIterator]() }
}

const HALF = new Uint8Array(HIGH_WATER_BYTES / 2)

describe('origin body', () => {
  it('gives chunks in order, whether they came before or after they were asked for', async () => {
    const { body, reader } = stand()
    const early = reader.next()

    body.push(Uint8Array.of(1))
    body.push(Uint8Array.of(2))
    body.end()

    expect((await early).value).toEqual(Uint8Array.of(1))
    expect((await reader.next()).value).toEqual(Uint8Array.of(2))
    expect((await reader.next()).done).toBe(true)
  })

  it('gives the whole at once where all of it is here, as bytes of its own, and is read to its end then', async () => {
    const { clock, told } = stand()
    const body = new OriginBody({ pause: () => {}, resume: () => {}, abort: () => void told.push('abort') }, clock, {
      stallMs: 1000,
    })
    const first = Uint8Array.of(1, 2)
    body.push(first)
    body.push(Uint8Array.of(3))
    body.end()

    const whole = body.whole({ expected: 3, maxBytes: 3 })
    first.fill(9)

    expect(whole).toEqual(Uint8Array.of(1, 2, 3))
    expect((await body[Symbol.asyncIterator]().next()).done).toBe(true)
    expect(told).toEqual([])
  })

  it('gives no whole, and takes nothing, while more is to come, when it broke, when it is not as wished, or when it is being read', async () => {
    const { clock } = stand()
    const made = (...steps: ((body: OriginBody) => void)[]): OriginBody => {
      const body = new OriginBody({ pause: () => {}, resume: () => {}, abort: () => {} }, clock, { stallMs: 1000 })
      body.push(Uint8Array.of(1, 2, 3))
      for (const step of steps) step(body)
      return body
    }
    const end = (body: OriginBody): void => body.end()
    const any = { expected: undefined, maxBytes: 10 }

    const open = made()
    const broken = made((body) => body.fail(new Error('broke')))
    const ended = made(end)

    expect(open.whole(any)).toBeUndefined()
    expect(broken.whole(any)).toBeUndefined()
    expect(ended.whole({ expected: 4, maxBytes: 10 })).toBeUndefined()
    expect(ended.whole({ expected: 3, maxBytes: 2 })).toBeUndefined()
    expect((await ended[Symbol.asyncIterator]().next()).value).toEqual(Uint8Array.of(1, 2, 3))
    expect(ended.whole(any)).toBeUndefined()
  })

  it('pauses the connection when too much waits, and goes on when the reader has caught up', async () => {
    const { body, reader, told } = stand()

    body.push(HALF)
    body.push(HALF)
    expect(told).toEqual(['pause'])
    await reader.next()
    await reader.next()

    expect(told).toEqual(['pause', 'resume'])
  })

  it('gives the connection up when its reader stalls', async () => {
    const { body, reader, told, clock } = stand()
    body.push(HALF)
    body.push(HALF)

    clock.advance(1001)

    expect(told[1]).toMatch(/^abort FC_ORIGIN_BROKEN.*took nothing for 1000 ms/)
    await reader.next()
    await reader.next()
    await expect(reader.next()).rejects.toThrow(/took nothing/)
    expect(clock.pending).toBe(0)
  })

  it('breaks the connection off when the reader wants no more, and drops what waits', async () => {
    const { body, reader, told } = stand()
    body.push(HALF)

    await reader.return?.()

    expect(told).toEqual([expect.stringMatching(/^abort/)])
    expect((await reader.next()).done).toBe(true)
  })

  it('leaves the connection alone when the body was complete', async () => {
    const { body, reader, told } = stand()
    body.end()

    await reader.return?.()

    expect(told).toEqual([])
  })

  it('gives what came before it broke off, then the error', async () => {
    const { body, reader } = stand()
    body.push(Uint8Array.of(1))
    body.fail(new Error('gone'))

    expect((await reader.next()).value).toEqual(Uint8Array.of(1))
    await expect(reader.next()).rejects.toThrow('gone')
  })

  it('tells a reader that already waits', async () => {
    const { body, reader } = stand()
    const waiting = reader.next()

    body.fail(new Error('gone'))

    await expect(waiting).rejects.toThrow('gone')
  })
})
