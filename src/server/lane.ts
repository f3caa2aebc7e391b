/**
 * The fast lane of a listener: its connections answer from raw bytes what they recognise, and hand everything else to the
 * full HTTP stack.
 *
 * Floor 5, room server. One per listener. A connection never waits with bytes it has read: either they are answered now,
 * or the stack has them.
 */
import type { Socket } from 'node:net'
import { LaneConnection } from './lane-connection.ts'
import { type LaneCounts, type LaneHost, type LaneOptions, LaneShared } from './lane-shared.ts'

/** Idle connections live so much longer than the client was told, ms: his next request may be on its way. */
const GRACE_MS = 1000
const SWEEP_MS = 500

/** See the module's header. */
export class Lane {
  readonly #shared: LaneShared
  readonly #open = new Set<LaneConnection>()
  #sweeping = false

  constructor(options: LaneOptions, host: LaneHost) {
    this.#shared = new LaneShared(options, host)
  }

  get counts(): Readonly<LaneCounts> {
    return this.#shared.counts
  }

  /** Open connections. */
  get size(): number {
    return this.#open.size
  }

  /** Bytes of heads that connections remember, as they came. */
  get headBytes(): number {
    return this.#shared.headBytes
  }

  /** Takes a connection; the lane sees its bytes first from now on. */
  take(socket: Socket): void {
    const connection = new LaneConnection(socket, this.#shared)
    this.#open.add(connection)
    socket.once('close', () => this.#open.delete(connection))
    if (!this.#sweeping) this.#armSweeper()
  }

  /** One timer for all: a timer of its own would cost a connection more than its questions do. */
  #armSweeper(): void {
    const { host, options } = this.#shared
    this.#sweeping = true
    host.clock.after(SWEEP_MS, () => {
      const now = host.clock.now()
      const before = now - options.keepAliveMs - GRACE_MS
      for (const connection of this.#open) connection.expire(before, now - options.headMs)
      this.#sweeping = false
      if (this.#open.size > 0) this.#armSweeper()
    })
  }

  /** Closes connections that owe nothing. */
  closeIdle(): void {
    for (const connection of this.#open) connection.closeIdle()
  }

  /** Closes every connection at once. */
  destroyAll(): void {
    for (const connection of this.#open) connection.destroy()
  }
}
