/**
 * A lane's connection as the full HTTP stack sees it while it answers what the lane does not: a stream of its own, into
 * which the lane puts exactly the bytes that are not its business.
 *
 * Floor 5, room server. One per connection, made at the first such request and kept: the stack's parser stands between
 * two messages while the lane answers, so coming back costs nothing. Everything it is told to do to its connection
 * (timeouts, ends, resets) is done to the real one.
 */
import { Duplex } from 'node:stream'
import type { Socket } from 'node:net'
import { breakConnection } from './peer.ts'

/** What happens to the connection at the stack's wish. */
export interface AsideEvents {
  /** It takes bytes again. */
  onRead(): void
  /** It wants the connection's idle deadline to be this, ms. */
  onTimeout(ms: number): void
  /** Every request that it has read is answered. */
  onAnswered(): void
  /** Whether the lane has the connection now. */
  isIdle(): boolean
}

/** See the module's header. */
export class Aside extends Duplex {
  readonly #socket: Socket
  readonly #events: AsideEvents
  #written: (() => void) | undefined

  constructor(socket: Socket, events: AsideEvents) {
    super({ decodeStrings: false, highWaterMark: 64 * 1024, emitClose: true, autoDestroy: true, allowHalfOpen: true })
    this.#socket = socket
    this.#events = events
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress
  }

  get remotePort(): number | undefined {
    return this.#socket.remotePort
  }

  get remoteFamily(): string | undefined {
    return this.#socket.remoteFamily
  }

  get localAddress(): string | undefined {
    return this.#socket.localAddress
  }

  get localPort(): number | undefined {
    return this.#socket.localPort
  }

  get encrypted(): boolean {
    return 'encrypted' in this.#socket && this.#socket.encrypted === true
  }

  /** The stack has answered every request that it has read. */
  answered(): void {
    this.#events.onAnswered()
  }

  /** The socket beneath takes bytes again. */
  drained(): void {
    const written = this.#written
    this.#written = undefined
    written?.()
  }

  setTimeout(ms: number, listener?: () => void): this {
    if (listener !== undefined) this.once('timeout', listener)
    this.#events.onTimeout(ms)
    return this
  }

  setNoDelay(on?: boolean): this {
    this.#socket.setNoDelay(on)
    return this
  }

  setKeepAlive(on?: boolean, initialMs?: number): this {
    this.#socket.setKeepAlive(on, initialMs)
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  destroySoon(): void {
    if (this.writable) this.end()
    if (this.writableFinished) this.destroy()
    else this.once('finish', () => this.destroy())
  }

  resetAndDestroy(): this {
    breakConnection(this.#socket)
    return this.destroy()
  }

  override _read(): void {
    this.#events.onRead()
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: () => void): void {
    if (this.#socket.write(chunk, encoding)) done()
    else this.#written = done
  }

  override _writev(chunks: { chunk: Buffer | string; encoding: BufferEncoding }[], done: () => void): void {
    this.#socket.cork()
    let free = true
    for (const { chunk, encoding } of chunks) free = this.#socket.write(chunk, encoding)
    this.#socket.uncork()
    if (free || this.#socket.writableLength === 0) done()
    else this.#written = done
  }

  override _final(done: () => void): void {
    this.#socket.end()
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (this.writableFinished || this.#events.isIdle()) this.#socket.destroySoon()
    else this.#socket.destroy()
    this.#written = undefined
    done(error)
  }
}
