/**
 * A client of the Redis door inside this process: other doors read and write its keys as any client would.
 *
 * Floor 5, room server. So one value is one entry through all of them: the same hits, the same readings that are kept, the
 * same marks of writes.
 */
import { Duplex } from 'node:stream'
import type { Socket } from 'node:net'
import type { TrackingPort } from '../resp/tracking-port.ts'

/** The connection as the door sees it: a socket without a network. */
class InnerSocket extends Duplex {
  readonly remoteAddress = 'this process'
  readonly remotePort = 0
  readonly localAddress = 'this process'
  readonly localPort = 0
  readonly #take: (chunk: Buffer) => void

  constructor(take: (chunk: Buffer) => void) {
    super({ allowHalfOpen: false })
    this.#take = take
  }

  override _read(): void {}

  override _write(chunk: Buffer, _: unknown, done: () => void): void {
    this.#take(Buffer.from(chunk)) // what is written here is written over there again
    done()
  }

  /** As sockets have it. */
  destroySoon(): void {
    this.end(() => this.destroy())
  }

  setTimeout(): this {
    return this
  }
}

/** Connections to the door itself. @param accept takes one as it would a client's */
export function innerPort(accept: (socket: Socket) => void): TrackingPort {
  return {
    open(events) {
      let isOver = false
      const socket = new InnerSocket((chunk) => {
        if (!isOver) events.data(chunk)
      })
      socket.on('error', () => undefined)
      socket.once('close', () => {
        if (isOver) return
        isOver = true
        events.ended('the door closed the connection')
      })
      accept(socket as unknown as Socket)
      events.connected()
      return {
        write: (bytes) => {
          socket.push(bytes)
        },
        destroy: () => {
          isOver = true
          socket.destroy()
        },
      }
    },
  }
}
