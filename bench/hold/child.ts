/**
 * The generator of a fixed rate: requests go out when they are due, whether or not former ones were answered, and every
 * latency counts from when its request was due, so that a stall is felt by all that were due meanwhile.
 *
 * Usage: node child.ts <port> <requests per second> <seconds> <connections> <keys>; prints one line of JSON, times in µs.
 * Never sleeps: it has its core alone, and a timer would be late by up to a millisecond.
 */
import { connect, type Socket } from 'node:net'

const [port = 0, rate = 0, seconds = 0, connections = 0, keys = 1] = process.argv.slice(2).map(Number)
const WARM_UP_MS = 3000
const DRAIN_MS = 5000
/** Latencies in classes of 10 µs; the last one holds all above. */
const CLASS_US = 10
const classes = new Uint32Array(100_001)
const HEAD_END = '\r\n\r\n'

let sent = 0
let answered = 0
let failed = 0
let maxUs = 0

/** One connection: answers come in the order of their requests. */
class Line {
  readonly #socket: Socket
  readonly #due: number[] = []
  #rest = ''

  constructor() {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.on('data', (chunk: Buffer) => this.#read(chunk.toString('latin1')))
    this.#socket.on('error', () => this.#fail()).on('close', () => this.#fail())
  }

  get waiting(): number {
    return this.#due.length
  }

  ask(dueAt: number, key: number): void {
    this.#due.push(dueAt)
    this.#socket.write(`GET /1024/${key} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: application/json\r\n\r\n`, 'latin1')
  }

  end(): void {
    this.#socket.removeAllListeners('close')
    this.#socket.destroy()
  }

  #read(text: string): void {
    this.#rest += text
    for (let at = this.#rest.indexOf(HEAD_END); at >= 0; at = this.#rest.indexOf(HEAD_END)) {
      const head = this.#rest.slice(0, at)
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
      if (this.#rest.length < at + 4 + length) return
      this.#rest = this.#rest.slice(at + 4 + length)
      record(this.#due.shift(), head.startsWith('HTTP/1.1 200'))
    }
  }

  #fail(): void {
    failed += this.#due.splice(0).length
  }
}

function record(dueAt: number | undefined, isGood: boolean): void {
  if (dueAt === undefined || !isGood) failed += 1
  else if (dueAt >= measuredFrom) {
    const us = (performance.now() - dueAt) * 1000
    answered += 1
    maxUs = Math.max(maxUs, us)
    const at = Math.min(classes.length - 1, Math.floor(us / CLASS_US))
    classes[at] = (classes[at] as number) + 1
  }
}

function quantileUs(q: number): number {
  let left = Math.ceil(q * answered)
  for (let at = 0; at < classes.length; at += 1) {
    left -= classes[at] as number
    if (left <= 0) return (at + 1) * CLASS_US
  }
  return Number.POSITIVE_INFINITY
}

const lines = Array.from({ length: connections }, () => new Line())
const began = performance.now() + 200
const measuredFrom = began + WARM_UP_MS
const endsAt = measuredFrom + seconds * 1000
let isMeasuring = false

function turn(): void {
  const now = performance.now()
  if (!isMeasuring && now >= measuredFrom) {
    isMeasuring = true
    process.stdout.write('{"measuring":true}\n')
  }
  for (let dueAt = began + (sent * 1000) / rate; dueAt <= now && dueAt < endsAt; dueAt = began + (sent * 1000) / rate) {
    ;(lines[sent % lines.length] as Line).ask(dueAt, (sent * 7919) % keys)
    sent += 1
  }
  const waiting = lines.reduce((sum, line) => sum + line.waiting, 0)
  if (now < endsAt || (waiting > 0 && now < endsAt + DRAIN_MS)) setImmediate(turn)
  else finish(waiting)
}

function finish(unanswered: number): void {
  const quantiles = { p50: quantileUs(0.5), p99: quantileUs(0.99), p999: quantileUs(0.999), max: maxUs }
  process.stdout.write(`${JSON.stringify({ answered, failed: failed + unanswered, ...quantiles })}\n`)
  for (const line of lines) line.end()
}

setImmediate(turn)
