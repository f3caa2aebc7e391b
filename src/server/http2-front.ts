/**
 * All connections of HTTP/2 of a listener.
 *
 * Floor 5, room server. Bounded by the listener's `maxConnections`. One timer for all of them, and none while there is none.
 */
import type { Socket } from 'node:net'
import type { Timer } from '../model/clock.ts'
import { Http2Connection, type Http2Events } from './http2-connection.ts'
import type { Http2Options } from './http2-options.ts'

const SWEEP_MS = 500

/** See the module's header. */
export class Http2Front {
  readonly #open = new Set<Http2Connection>()
  readonly #options: Http2Options
  readonly #events: Http2Events
  #timer: Timer | undefined
  #leaving = false

  constructor(options: Http2Options, events: Http2Events) {
    this.#options = options
    this.#events = events
  }

  get size(): number {
    return this.#open.size
  }

  /** Speaks HTTP/2 on a socket from its first byte on. */
  accept(socket: Socket): void {
    socket.on('error', () => socket.destroy())
    const connection = new Http2Connection(socket, this.#options, this.#events)
    this.#open.add(connection)
    connection.onClose(() => {
      this.#open.delete(connection)
      if (this.#open.size > 0) return
      this.#timer?.cancel()
      this.#timer = undefined
    })
    if (this.#leaving) connection.leave()
    this.#timer ??= this.#schedule()
  }

  /** Sends GOAWAY everywhere; connections end with their last answers. */
  leave(): void {
    this.#leaving = true
    for (const connection of this.#open) connection.leave()
  }

  /** Closes every connection at once. */
  destroyAll(): void {
    for (const connection of this.#open) connection.destroy()
  }

  #schedule(): Timer {
    return this.#events.clock.after(SWEEP_MS, () => {
      this.#timer = this.#open.size > 0 ? this.#schedule() : undefined
      const now = this.#events.clock.coarse()
      for (const connection of this.#open) connection.sweep(now)
    })
  }
}
