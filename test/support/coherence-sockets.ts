/**
 * The core of the Redis doors on real sockets, without any door: a tracking connection, and connections that read through
 * memory and write past it.
 */
import { connect, type Socket } from 'node:net'
import type { Clock } from '../../src/model/clock.ts'
import { Coherence, type Causality, COHERENCE_DEFAULTS } from '../../src/resp/coherence.ts'
import type { Fill } from '../../src/resp/coherence-fill.ts'
import { hashText } from '../../src/resp/coherence-hash.ts'
import { Reader } from '../../src/resp/coherence-reader.ts'
import { type Filling, ReplyCache } from '../../src/resp/reply-cache.ts'
import { Tracking, type TrackingState } from '../../src/resp/tracking.ts'
import { encodeCommand } from '../../src/resp/tracking-commands.ts'
import type { TrackingPort } from '../../src/resp/tracking-port.ts'
import { ReplyScanner } from '../../src/wire/resp-reply.ts'

/** Where sockets lead. */
export function socketPort(port: number): TrackingPort & { readonly sockets: Socket[] } {
  const sockets: Socket[] = []
  return {
    sockets,
    open: (events) => {
      const socket = connect(port, '127.0.0.1').setNoDelay(true)
      sockets.push(socket)
      let isOver = false
      const end = (reason: string): void => {
        if (!isOver) events.ended(reason)
        isOver = true
      }
      socket.on('connect', () => events.connected())
      socket.on('data', (chunk: Buffer) => {
        if (!isOver) events.data(chunk)
      })
      socket.on('error', (error) => end(error.message))
      socket.on('close', () => end('closed'))
      return {
        write: (bytes) => socket.write(bytes),
        destroy: () => {
          isOver = true
          socket.destroy()
        },
      }
    },
  }
}

/** One upstream, its memory and its tracking connection. */
export class SocketDoor {
  readonly coherence: Coherence
  readonly cache: ReplyCache
  readonly tracking: Tracking
  readonly port: ReturnType<typeof socketPort>
  readonly clock: Clock
  state: TrackingState = 'closed'
  reason = ''

  constructor(port: number, clock: Clock, causality: Causality = 'session') {
    this.clock = clock
    this.coherence = new Coherence({ ...COHERENCE_DEFAULTS, clock, causality })
    this.cache = new ReplyCache({
      coherence: this.coherence,
      maxBytes: 16 * 1024 * 1024,
      maxReplyBytes: 1024 * 1024,
      seed: [1, 2],
      isShort: () => false,
    })
    this.port = socketPort(port)
    this.tracking = new Tracking({
      ...{ coherence: this.coherence, clock, port: this.port, random: Math.random, prefixes: [] },
      ...{ username: undefined, password: undefined },
      onState: (state, reason) => {
        this.state = state
        this.reason = reason
      },
    })
    this.tracking.open()
  }

  close(): void {
    this.tracking.close()
  }
}

/** What a question came to. */
export interface Answer {
  readonly text: string
  readonly isHit: boolean
}

/** A connection: replies in order, each told in the very callback of its chunk. */
export class SocketLine {
  readonly reader = new Reader()
  readonly #door: SocketDoor
  readonly #socket: Socket
  readonly #scanner = new ReplyScanner()
  #waiting: ((bytes: Buffer) => void)[] = []

  constructor(port: number, door: SocketDoor) {
    this.#door = door
    this.#socket = connect(port, '127.0.0.1').setNoDelay(true)
    let pieces: Buffer[] = []
    this.#socket.on('error', () => undefined)
    this.#socket.on('data', (chunk: Buffer) => {
      this.#scanner.push(chunk)
      while (this.#scanner.next()) {
        const { bytes, start, end, isLast } = this.#scanner
        pieces.push(bytes.subarray(start, end))
        if (!isLast) continue
        const frame = Buffer.concat(pieces)
        pieces = []
        this.#waiting.shift()?.(frame)
      }
    })
  }

  /** Past memory, without a word to coherence: as any other client of the server. */
  direct(...words: readonly string[]): Promise<string> {
    return new Promise((resolve) => this.#send(words, (frame) => resolve(textOf(frame))))
  }

  /** Through memory. */
  get(key: string): Answer | Promise<Answer> {
    const { coherence, cache, clock } = this.#door
    const now = clock.now()
    const request = encodeCommand(['GET', key])
    const may = coherence.mayHit(this.reader, now)
    const hit = may ? cache.find(0, { bytes: request, start: 0, end: request.length }, now) : undefined
    if (hit !== undefined) {
      coherence.served(this.reader, hit.fence)
      return { text: textOf(hit.bytes.subarray(hit.start, hit.end)), isHit: true }
    }
    const fill = coherence.begin(this.reader, [hashText(key)], now)
    return new Promise((resolve) => this.#read({ key, request, fill }, resolve))
  }

  /** A write of one known key through us. */
  write(key: string, ...words: readonly string[]): Promise<string> {
    const { coherence } = this.#door
    const hash = hashText(key)
    coherence.forwarded(hash)
    return new Promise((resolve) => {
      this.#send(words, (frame) => {
        coherence.answered(hash)
        coherence.learned(this.reader)
        resolve(textOf(frame))
      })
    })
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(of: { key: string; request: Buffer; fill: Fill | undefined }, told: (answer: Answer) => void): void {
    const { coherence, cache, clock } = this.#door
    const { fill, request } = of
    const filling: Filling | undefined = fill === undefined ? undefined : { fill, partition: 0, request }
    this.#send(['GET', of.key], (bytes) => {
      const isNews = filling === undefined || cache.replied(filling, { bytes, start: 0, end: bytes.length }, clock.now())
      if (isNews) coherence.learned(this.reader)
      told({ text: textOf(bytes), isHit: false })
    })
    if (filling === undefined) return
    this.#send(['PTTL', of.key], (bytes) => cache.timed(filling, Number(bytes.toString('latin1', 1)), clock.now()))
  }

  #send(words: readonly string[], told: (frame: Buffer) => void): void {
    this.#waiting.push(told)
    this.#socket.write(encodeCommand(words))
  }
}

/** A bulk or simple string, a number, '' for nothing. */
function textOf(frame: Buffer): string {
  if (frame[0] !== 0x24) return frame.toString('latin1', 1, frame.length - 2)
  const at = frame.indexOf('\r\n')
  return frame.toString('latin1', at + 2, frame.length - 2)
}
