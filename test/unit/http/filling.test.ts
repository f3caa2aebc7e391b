import { describe, expect, it } from 'vitest'
import { Filling, type FillingLimits } from '../../../src/http/filling.ts'
import type { BodySource } from '../../../src/model/exchange.ts'
import { createVirtualClock, settle } from '../../../src/model/virtual-clock.ts'

/** What bodies under way hold, and may. */
function holding(maxBytes: number) {
  const self = {
    bytes: 0,
    maxBytes,
    refused: 0,
    hold: (bytes: number) => void (self.bytes += bytes),
    refuse: () => void (self.refused += 1),
  }
  return self
}

function limits(held: ReturnType<typeof holding>, wish: Partial<FillingLimits> = {}): FillingLimits {
  return {
    maxBytes: 1_000_000,
    expected: undefined,
    laggardMs: 1000,
    clock: createVirtualClock(),
    finish: true,
    holding: held,
    ...wish,
  }
}

/** Chunks of 10 KB; tells how many were taken. */
function source(chunks: number): { readonly body: BodySource; readonly taken: () => number } {
  let taken = 0
  async function* give(): AsyncGenerator<Uint8Array> {
    for (; taken < chunks; ) {
      taken += 1
      yield new Uint8Array(10_000)
    }
  }
  return { body: give(), taken: () => taken }
}

async function drain(body: BodySource): Promise<number> {
  let bytes = 0
  for await (const chunk of body) bytes += chunk.byteLength
  return bytes
}

describe('filling: bodies under way share what they may hold', () => {
  it('reserves an announced length at once, and releases all of it with the last byte', async () => {
    const held = holding(200_000)

    const filling = new Filling(source(5).body, limits(held, { expected: 50_000 }))

    expect(held.bytes).toBe(50_000)
    const [read, whole] = await Promise.all([drain(filling.read()), filling.done])
    expect([read, whole?.byteLength, held.bytes, held.refused]).toEqual([50_000, 50_000, 0, 0])
  })

  it('streams a body of unknown length through when all together hold too much', async () => {
    const held = holding(100_000)
    held.hold(60_000)

    const filling = new Filling(source(20).body, limits(held))
    const [read, whole] = await Promise.all([drain(filling.read()), filling.done])

    expect([read, whole, filling.tooLarge, held.bytes, held.refused]).toEqual([200_000, undefined, false, 60_000, 1])
  })

  it('reads at most 64 KiB ahead of a slow reader then', async () => {
    const held = holding(50_000)
    held.hold(50_000)
    const { body, taken } = source(100)

    const filling = new Filling(body, limits(held))
    const reader = filling.read()[Symbol.asyncIterator]()
    await settle()

    expect(taken()).toBeLessThanOrEqual(8)
    expect(held.bytes).toBeLessThanOrEqual(50_000 + 65_536 + 10_000)
    await reader.return?.()
    await filling.done
    expect(held.bytes).toBe(50_000)
  })

  it('gives back what was reserved when the origin breaks off or brings more than it announced', async () => {
    for (const expected of [90_000, 10_000]) {
      const held = holding(200_000)
      const filling = new Filling(source(3).body, limits(held, { expected }))
      await drain(filling.read()).catch(() => {})
      expect([await filling.done, held.bytes]).toEqual([undefined, 0])
    }
  })

  it('gives back what was reserved for a body that proves too large', async () => {
    const held = holding(1_000_000)
    const filling = new Filling(source(20).body, limits(held, { expected: 200_000, maxBytes: 100_000 }))
    const [read, whole] = await Promise.all([drain(filling.read()), filling.done])
    expect([read, whole, filling.tooLarge, held.bytes]).toEqual([200_000, undefined, true, 0])
  })
})
