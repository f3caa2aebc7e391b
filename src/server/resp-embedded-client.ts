/**
 * One client of the embedded mode: his socket, his session, and what his output may cost.
 *
 * Floor 5, room server. Output that is not taken is bounded as Redis bounds it: a hard limit at once, a soft one after a
 * while. Below it commands go on being run: some clients send all of a pipeline before they read any of its replies.
 */
import type { Socket } from 'node:net'
import type { Clock } from '../model/clock.ts'
import type { Executor, ExecutorPeer } from '../resp/executor.ts'
import { CommandSession } from '../resp/session.ts'
import { Gather, type GatherRoom } from '../resp/session-gather.ts'
import type { RequestLimits } from '../wire/resp-limits.ts'
import { peerAddress } from './peer.ts'
import { readSocket } from './resp-reading.ts'
import { writeSocket } from './resp-writing.ts'
import type { RespClient } from './resp-listener.ts'
import type { RespSettings } from './resp-schema.ts'
import type { SlowDown } from './resp-slow-down.ts'

/** What all clients of the embedded mode are made with. */
export interface EmbeddedClientParts {
  readonly executor: Executor
  readonly room: GatherRoom
  readonly limits: RequestLimits
  readonly settings: RespSettings
  readonly slowDown: SlowDown
  readonly clock: Clock
  /** A client was cut off because of his output. */
  readonly onOverflow: () => void
}

/** Less than the least limit is not looked at. */
const LOOK_BYTES = 64 * 1024
let ids = 0

/** See the module's header. */
export class EmbeddedClient implements RespClient {
  readonly #parts: EmbeddedClientParts
  readonly #socket: Socket
  readonly #session: CommandSession
  readonly #isSecure: boolean
  readonly #address: string
  #limit: RespSettings['limits']['output']
  /** Since when the soft limit is exceeded. */
  #softSince = Number.POSITIVE_INFINITY
  #isGuessing = false

  constructor(socket: Socket, parts: EmbeddedClientParts) {
    this.#parts = parts
    this.#socket = socket
    this.#isSecure = 'encrypted' in socket
    this.#address = peerAddress(socket.remoteAddress)
    this.#limit = parts.settings.limits.output
    const { clock, settings, limits, executor, room } = parts
    this.#session = new CommandSession({
      executor: executor.open(this.#peer()),
      out: new Gather(room, { write: (bytes) => this.#write(bytes) }),
      port: { hold: (isHeld) => this.#hold(isHeld), end: () => this.end() },
      limits,
      isTrusted: settings.password === undefined,
      now: () => clock.now(),
    })
    this.#listen()
    this.#pauseFor(parts.slowDown.delayMs(this.#address))
  }

  get isOwed(): boolean {
    return this.#session.isBusy || this.#socket.writableLength > 0
  }

  get heldBytes(): number {
    return this.#session.heldBytes + this.#socket.writableLength
  }

  end(): void {
    this.#socket.destroySoon()
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #listen(): void {
    const socket = this.#socket
    const { clock, settings } = this.#parts
    readSocket(socket, (chunk) => this.#session.fromClient(chunk, clock.now()))
    socket.on('drain', () => {
      this.#softSince = Number.POSITIVE_INFINITY
    })
    socket.on('end', () => socket.destroySoon())
    socket.on('error', () => socket.destroy())
    socket.once('close', () => this.#session.close())
    const { idleTimeout } = settings.limits
    if (idleTimeout > 0) socket.setTimeout(idleTimeout, () => socket.destroy())
  }

  #peer(): ExecutorPeer {
    const socket = this.#socket
    const { clock, settings } = this.#parts
    ids += 1
    const at = (host: string | undefined, port: number | undefined): string => `${bracketed(peerAddress(host))}:${port ?? 0}`
    const peer = {
      id: ids,
      address: at(socket.remoteAddress, socket.remotePort),
      localAddress: at(socket.localAddress, socket.localPort),
      since: clock.now(),
      get outputBytes() {
        return socket.writableLength
      },
      send: (bytes: Uint8Array) => {
        this.#write(Buffer.from(bytes))
      },
      // Another client's run may have answered it: his replies are being gathered.
      resume: () => queueMicrotask(() => this.#session.resume()),
      setClass: (kind: 'normal' | 'pubsub') => {
        this.#limit = kind === 'pubsub' ? settings.limits.pubsub : settings.limits.output
      },
      close: (how: 'now' | 'flushed') => {
        if (how === 'now') socket.destroy()
        else socket.destroySoon()
      },
      login: (isRight: boolean) => this.#login(isRight),
    }
    return peer
  }

  #login(isRight: boolean): void {
    const { slowDown } = this.#parts
    slowDown.tell(this.#address, isRight)
    if (isRight) this.#session.trust()
    else this.#pauseFor(slowDown.delayMs(this.#address))
  }

  #pauseFor(ms: number): void {
    if (ms <= 0 || this.#isGuessing) return
    this.#isGuessing = true
    this.#session.hold(true)
    this.#parts.clock.after(ms, () => {
      this.#isGuessing = false
      this.#session.hold(false)
    })
  }

  #hold(isHeld: boolean): void {
    if (isHeld) this.#socket.pause()
    else if (!this.#isGuessing) this.#socket.resume()
  }

  /** @returns whether the bytes have left this process */
  #write(bytes: Buffer): boolean {
    const socket = this.#socket
    if (!socket.writable) return true
    const waits = this.#isSecure || socket.writableLength > 0
    if (waits) socket.write(Buffer.from(bytes))
    else writeSocket(socket, bytes)
    const waiting = socket.writableLength
    if (waiting > LOOK_BYTES) this.#overflow(waiting)
    return waits || waiting === 0
  }

  #overflow(waiting: number): void {
    const { hard, soft, softTime } = this.#limit
    const now = this.#parts.clock.now()
    if (waiting <= soft) this.#softSince = Number.POSITIVE_INFINITY
    else if (this.#softSince === Number.POSITIVE_INFINITY) this.#softSince = now
    if (waiting > hard || now - this.#softSince > softTime) {
      this.#parts.onOverflow()
      this.#socket.destroy()
    }
  }
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address
}
