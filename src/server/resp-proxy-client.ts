/**
 * One client of the front: his socket, his connection to the upstream, and the session between them.
 *
 * Floor 5, room server. What one side does not take is not read from the other: memory is bounded by the sockets' own
 * buffers. When the upstream goes, the client goes behind his last reply; when the client goes, so does the upstream.
 */
import type { Socket } from 'node:net'
import { type ProxyPort, ProxySession } from '../resp/proxy-session.ts'
import type { ProxyShared } from '../resp/proxy-shared.ts'
import type { RequestLimits } from '../wire/resp-request.ts'
import type { Clock, Timer } from '../model/clock.ts'
import { peerAddress } from './peer.ts'
import type { RespClient } from './resp-listener.ts'
import type { SlowDown } from './resp-slow-down.ts'
import { readSocket } from './resp-reading.ts'
import { placeOf, type Upstream } from './resp-upstream.ts'
import { writeSocket } from './resp-writing.ts'

/** What all clients of a front are made with. */
export interface ProxyClientParts {
  readonly shared: ProxyShared
  readonly upstream: Upstream
  readonly limits: RequestLimits
  readonly slowDown: SlowDown
  readonly clock: Clock
  readonly connectMs: number
  /** 0: never. */
  readonly idleMs: number
}

/** How long a client may take to ask, where the upstream cannot be reached, ms: to be told so. */
const LAST_WORDS_MS = 1000
/** How long who sends no more may wait for what he is owed, ms. */
const LAST_REPLIES_MS = 10_000

/** See the module's header. */
export class ProxyClient implements RespClient {
  readonly #parts: ProxyClientParts
  readonly #socket: Socket
  readonly #upstream: Socket
  readonly #session: ProxySession
  readonly #late: Timer
  readonly #isSecure: boolean
  /** Why the client is not read, and the upstream. */
  #isClientHeld = false
  #isClientFull = false
  #isUpstreamHeld = false
  #isUpstreamFull = false
  #isOpen = false
  /** It stood, and is gone. */
  #isOver = false
  /** The upstream cannot be reached. */
  #failure: string | undefined

  constructor(socket: Socket, parts: ProxyClientParts) {
    this.#parts = parts
    this.#socket = socket
    this.#isSecure = 'encrypted' in socket
    this.#session = new ProxySession(parts.shared, this.#port(), parts.limits)
    this.#upstream = parts.upstream.connect(() => this.#onOpen())
    this.#late = parts.clock.after(parts.connectMs, () => this.#fail(`no connection within ${parts.connectMs} ms`))
    this.#listen()
  }

  get isOwed(): boolean {
    return this.#session.owed > 0
  }

  get heldBytes(): number {
    return this.#session.heldBytes + this.#socket.writableLength + this.#upstream.writableLength
  }

  end(): void {
    this.#socket.destroySoon()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #listen(): void {
    const [socket, upstream] = [this.#socket, this.#upstream]
    const { clock, idleMs } = this.#parts
    readSocket(socket, (chunk) => {
      if (this.#isOver) return
      this.#session.fromClient(chunk, clock.now())
      if (this.#failure !== undefined) this.#sayGoodbye()
    })
    socket.on('drain', () => {
      this.#isUpstreamFull = false
      if (!this.#isUpstreamHeld) upstream.resume()
    })
    socket.on('end', () => {
      upstream.end() // Redis answers what it has read, and closes
      clock.after(LAST_REPLIES_MS, () => socket.destroy())
    })
    socket.on('error', () => socket.destroy())
    socket.once('close', () => this.#close())
    if (idleMs > 0) socket.setTimeout(idleMs, () => socket.destroy())
    upstream.on('data', (chunk: Buffer) => this.#session.fromUpstream(chunk, clock.now()))
    upstream.on('drain', () => {
      this.#isClientFull = false
      if (!this.#isClientHeld) socket.resume()
    })
    upstream.on('error', (error: Error) => this.#fail(error.message))
    upstream.once('close', () => this.#fail('the connection ended'))
  }

  #onOpen(): void {
    this.#isOpen = true
    this.#late.cancel()
    this.#session.place = placeOf(this.#upstream)
  }

  #close(): void {
    this.#late.cancel()
    this.#session.close()
    this.#upstream.destroy()
  }

  /** The upstream is gone. */
  #fail(reason: string): void {
    if (this.#isOver || this.#failure !== undefined) return
    this.#late.cancel()
    this.#upstream.destroy()
    if (this.#isOpen) {
      if (!this.#socket.destroyed) this.#parts.shared.counts.lost += 1
      this.#isOver = true
      this.#session.finish()
      return
    }
    this.#parts.shared.counts.unreachable += 1
    this.#failure = `-ERR forecache: upstream ${this.#parts.upstream.shown} cannot be reached: ${oneLine(reason)}\r\n`
    if (this.isOwed) this.#sayGoodbye()
    else this.#parts.clock.after(LAST_WORDS_MS, () => this.#socket.destroy())
  }

  #sayGoodbye(): void {
    this.#session.refuse(this.#failure as string)
    this.#session.close()
    this.#socket.destroySoon()
  }

  #port(): ProxyPort {
    const address = peerAddress(this.#socket.remoteAddress)
    const { slowDown, clock } = this.#parts
    const socket = this.#socket
    return {
      get isBehind() {
        return socket.writableLength > BEHIND_BYTES
      },
      client: { write: (bytes) => this.#toClient(bytes) },
      upstream: { write: (bytes) => this.#toUpstream(bytes) },
      holdClient: (isHeld) => {
        this.#isClientHeld = isHeld
        if (isHeld) this.#socket.pause()
        else if (!this.#isClientFull) this.#socket.resume()
      },
      holdUpstream: (isHeld) => {
        this.#isUpstreamHeld = isHeld
        if (isHeld) this.#upstream.pause()
        else if (!this.#isUpstreamFull) this.#upstream.resume()
      },
      end: () => {
        this.#session.close()
        this.#socket.destroySoon()
      },
      loginDelayMs: () => slowDown.delayMs(address),
      login: (isRight) => slowDown.tell(address, isRight),
      later: (ms, run) => {
        clock.after(ms, run)
      },
    }
  }

  /** @returns whether the bytes have left this process */
  #toClient(bytes: Buffer): boolean {
    const socket = this.#socket
    if (!socket.writable) return true
    const waits = this.#isSecure || socket.writableLength > 0
    writeSocket(socket, waits && bytes.length < COPY_BYTES ? Buffer.from(bytes) : bytes)
    if (socket.writableNeedDrain) {
      this.#isUpstreamFull = true
      this.#upstream.pause()
    }
    return waits || socket.writableLength === 0
  }

  #toUpstream(bytes: Buffer): boolean {
    const upstream = this.#upstream
    if (!upstream.writable) return true
    const waits = upstream.connecting || 'encrypted' in upstream || upstream.writableLength > 0
    writeSocket(upstream, waits && bytes.length < COPY_BYTES ? Buffer.from(bytes) : bytes)
    if (upstream.writableNeedDrain) {
      this.#isClientFull = true
      this.#socket.pause()
    }
    return waits || upstream.writableLength === 0
  }
}

/** Output that waits for a client before nothing more is answered from memory. */
const BEHIND_BYTES = 1024 * 1024
/** Gathered bytes are never longer; what is longer is nobody else's. */
const COPY_BYTES = 64 * 1024 + 1

function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ')
}
