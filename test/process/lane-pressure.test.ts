/** Clients that take nothing of what they asked for: bounded memory, whole answers in order for who goes on, an end for who does not. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { spawnGateway } from '../support/gateway-spawn.ts'
import { Wire } from '../support/lane-arm.ts'
import { LaneOrigin } from '../support/lane-origin.ts'
import { closing, gatewayOf, get, open, told, until, WAYS } from '../support/lane-wire.ts'

const MIB = 1024 * 1024
const CLIENTS = 24
const origin = new LaneOrigin()
let url = ''

beforeAll(async () => {
  url = await origin.listen()
})
afterAll(() => origin.close())

function connected(port: number): Wire {
  const wire = new Wire(port)
  onTestFinished(() => void wire.socket.destroy())
  return wire
}

/** Waits until nothing more comes. */
async function quiet(wire: Wire): Promise<void> {
  for (let before = -1; before < wire.bytes; ) {
    before = wire.bytes
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
}

/** How many answers there are, every one whole, with nothing between and behind them. */
function wholeAnswers(text: string): number {
  let count = 0
  for (let at = 0; at < text.length; count += 1) {
    const end = text.indexOf('\r\n\r\n', at)
    const head = text.slice(at, end + 2)
    const length = /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\ncontent-length: (\d+)\r\n/.exec(head)?.[1]
    if (length === undefined) throw new Error(`answer ${count} is none: ${JSON.stringify(head.slice(0, 200))}`)
    at = end + 4 + Number(length)
    if (at > text.length) throw new Error(`answer ${count} is cut`)
  }
  return count
}

describe('pressure in the lane', () => {
  it.each([
    ['large hits', 'b1', 200, 100_000],
    ['small hits', 'h1', 20_000, 300],
    ['large answers that are not stored', 'B1', 20, 1_100_000],
  ])(
    'holds little for clients that do not read, and answers who goes on: %s',
    { timeout: 60_000 },
    async (_, name, count, size) => {
      const { port, peakBytes } = await spawnGateway(['--origin', url, '--memory', '64MiB'])
      const first = connected(port)
      first.send(get(name) + get(name))
      await until(() => first.bytes >= 2 * Math.min(size, 250), 'two answers')
      const before = peakBytes()

      const wires = Array.from({ length: CLIENTS }, () => connected(port))
      for (const wire of wires) {
        wire.socket.pause()
        wire.send(get(name).repeat(count))
      }
      await new Promise((resolve) => setTimeout(resolve, 1500))
      const heldBytes = peakBytes() - before
      const [reader, ...others] = wires as [Wire, ...Wire[]]
      for (const other of others) other.socket.destroy()
      reader.socket.resume()
      await until(() => reader.isOver || reader.bytes >= count * size, 'all answers', 30_000)
      await quiet(reader)

      expect(wholeAnswers(reader.text)).toBe(count)
      expect(heldBytes / MIB).toBeLessThan(120)
    },
  )
})

describe.each(WAYS)('pressure %s', (_, lane) => {
  it.each([
    ['of a hit', 'b1'],
    ['of a stream', 'B1'],
  ])('cuts a client off that takes nothing for the write deadline: %s', { timeout: 15_000 }, async (__, name) => {
    const arm = await gatewayOf(lane, { limits: { writeTimeout: '400ms' } })
    const wire = open(arm)
    wire.send(get(name))
    await until(() => wire.bytes > 1000, 'the first bytes')
    wire.socket.pause()
    wire.send(get(name).repeat(100))
    await new Promise((resolve) => setTimeout(resolve, 1700))

    wire.socket.resume()

    await closing(wire, 2000)
    expect(wire.bytes).toBeLessThan(100 * 100_000)
    await until(() => arm.origin.hanging === 0, 'the origin is left')
    const next = open(arm)
    next.send(get('h1'))
    await until(() => told(next).length === 1, 'others are answered')
  })

  it('leaves a client alone that takes a little now and then', { timeout: 15_000 }, async () => {
    const arm = await gatewayOf(lane, { limits: { writeTimeout: '600ms' } })
    const wire = open(arm)
    wire.send(get('b1'))
    await until(() => wire.bytes > 100_000, 'an answer')
    wire.socket.pause()
    wire.send(get('b1').repeat(60))

    for (let turn = 0; turn < 10; turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, 200))
      wire.socket.resume()
      await new Promise((resolve) => setImmediate(resolve))
      wire.socket.pause()
    }
    wire.socket.resume()

    await until(() => wire.bytes >= 61 * 100_000, 'all answers')
    await quiet(wire)
    expect(wholeAnswers(wire.text)).toBe(61)
  })
})
