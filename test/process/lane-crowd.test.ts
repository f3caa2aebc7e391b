/**
 * Many connections at once, of every manner: each gets its own answers, whole and in order.
 *
 * The lane puts answers of all connections together in one place; what one of them has not taken yet must not be written
 * over by the next. FORECACHE_LANE_RUNS: requests of each connection (150); FORECACHE_LANE_SEED.
 */
import { describe, expect, it } from 'vitest'
import { Dice } from '../support/lane-dice.ts'
import { gatewayOf, get, open, until } from '../support/lane-wire.ts'

const RUNS = Number(process.env['FORECACHE_LANE_RUNS'] ?? 150)
const SEED = Number(process.env['FORECACHE_LANE_SEED'] ?? Date.now() % 1_000_000)
const CONNECTIONS = 48
const NAMES = ['h1', 'p1', 'p2', 'r1', 'r2', 'z1', 'b1', 'b2', 'j1', 'w1', 'n1', 'C1'] as const

/** Answers by what must stand in them: the target, then exactly as much as there should be. */
function faultOf(text: string, asked: readonly string[]): string | undefined {
  let at = 0
  for (const [place, name] of asked.entries()) {
    const end = text.indexOf('\r\n\r\n', at)
    const head = text.slice(at, end + 2)
    if (end < 0 || !head.startsWith('HTTP/1.1 200 OK\r\n'))
      return `answer ${place} to ${name}: ${JSON.stringify(text.slice(at, at + 100))}`
    at = end + 4
    const length = /\r\ncontent-length: (\d+)\r\n/.exec(head)?.[1]
    const last = length === undefined ? text.indexOf('\r\n0\r\n', at) : at + Number(length)
    const body = text.slice(at, last)
    at = length === undefined ? text.indexOf('\r\n\r\n', last) + 4 : last
    if (!isBodyOf(name, body)) return `answer ${place} to ${name} holds ${JSON.stringify(body.slice(0, 100))} of ${body.length}`
  }
  return at === text.length ? undefined : `more than was asked for: ${JSON.stringify(text.slice(at, at + 100))}`
}

function isBodyOf(name: string, body: string): boolean {
  if (name === 'j1') return body === ''
  if (!body.includes(`<GET /u/${name} #`)) return false
  const rest = body.replace(/^(?:[0-9a-f]+\r\n)?<GET [^>]*>/, '')
  if (name.startsWith('b')) return body.length === 100_000 && /^(?:[a-j]*)$/.test(rest) && !/a[^b]|b[^c]|c[^d]|i[^j]/.test(rest)
  if (name.startsWith('r')) return body.length === 3000 && /^\d*$/.test(rest) && !/1[^2]|5[^6]|8[^9]/.test(rest)
  return true
}

describe(`a crowd in the lane, seed ${SEED}`, () => {
  it('gets every answer whole, in order and to whom asked for it', { timeout: 30_000 + RUNS * 500 }, async () => {
    const arm = await gatewayOf(true)
    const dice = new Dice(SEED)
    const clients = Array.from({ length: CONNECTIONS }, () => ({ wire: open(arm), asked: [] as string[] }))
    let left = CONNECTIONS * RUNS

    while (left > 0) {
      const { wire, asked } = dice.pick(clients)
      const names = Array.from({ length: 1 + dice.int(12) }, () => dice.pick(NAMES))
      const bytes = names.map((name) => get(name, 'Accept-Encoding: identity\r\n')).join('')
      const at = dice.int(bytes.length)
      for (const piece of dice.chance(0.3) ? [bytes.slice(0, at), bytes.slice(at)] : [bytes]) {
        wire.send(piece)
        if (dice.chance(0.4)) await new Promise((resolve) => setImmediate(resolve))
      }
      asked.push(...names)
      left -= names.length
      if (dice.chance(0.2)) wire.socket.pause()
      if (dice.chance(0.3)) dice.pick(clients).wire.socket.resume()
    }
    for (const { wire } of clients) {
      wire.socket.resume()
      wire.send(get('p-end', 'Connection: close\r\n'))
    }
    await until(() => clients.every(({ wire }) => wire.isOver), 'all connections end', 20_000 + RUNS * 400)

    for (const { wire, asked } of clients) expect(faultOf(wire.text, [...asked, 'p-end'])).toBeUndefined()
    expect(arm.errors).toEqual([])
  })

  it('keeps what a client has not taken yet from being written over', { timeout: 60_000 }, async () => {
    const arm = await gatewayOf(true)
    const dice = new Dice(SEED)
    const clients = Array.from({ length: 6 }, (_, at) => ({ wire: open(arm), name: `r${10 + at}` }))
    for (const { wire, name } of clients) {
      wire.send(get(name))
      await until(() => wire.bytes > 3000, 'an answer')
      wire.socket.pause()
    }

    // Together more than the kernel holds for them: the lane's place is left with a part of an answer again and again.
    const asked = 5000
    for (const { wire, name } of clients) wire.send(get(name).repeat(asked))
    for (let turn = 0; turn < 400 || clients.some(({ wire }) => wire.bytes < asked * 3000); turn += 1) {
      const { wire } = dice.pick(clients)
      wire.socket.resume()
      await new Promise((resolve) => setImmediate(resolve))
      if (turn < 400) wire.socket.pause()
      else if (turn % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    }
    await new Promise((resolve) => setTimeout(resolve, 100))

    for (const { wire, name } of clients) expect(faultOf(wire.text, Array(asked + 1).fill(name))).toBeUndefined()
  })
})
