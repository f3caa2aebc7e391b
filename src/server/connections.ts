/**
 * The open connections of a listener: how many answers each one awaits, and what is to happen to it afterwards.
 *
 * Floor 5, room server. Bounded by the listener's `maxConnections`. A connection that cannot be parsed any further is
 * answered only after the answers before it, so that no answer is taken for another request's.
 */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../model/clock.ts'
import { Aside } from './lane-aside.ts'

/** How long a closing connection's input is still read away, so that its last answer is not lost to a reset, ms. */
const LINGER_MS = 1000

/** One open connection. */
export interface Connection {
  readonly socket: Socket
  /** Requests read and not yet answered. */
  inFlight: number
  /** No further request of this connection is served. */
  closing: boolean
  /** The request that came last: an answer that closes the connection is its, or would take later answers with it. */
  last: IncomingMessage | undefined
  /** The request read last, and how to tell it that the rest of its content cannot be parsed. */
  reading: { readonly request: IncomingMessage; fail(error: Error): void } | undefined
  /** The answer to what could not be parsed, sent behind the answers under way. */
  lastWords: Buffer | undefined
}

/** Whether the answer to this request is the connection's last, if no more are served; words that wait come behind it. */
export function isLast({ last, lastWords }: Connection, request: IncomingMessage): boolean {
  return last === request && lastWords === undefined
}

function isAside(socket: unknown): socket is Aside {
  return socket instanceof Aside
}

/** All connections of a listener. */
export class Connections {
  readonly #open = new Map<Socket, Connection>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The connection of a socket; begins to track it. */
  of(socket: Socket): Connection {
    let connection = this.#open.get(socket)
    if (connection === undefined) {
      connection = { socket, inFlight: 0, closing: false, last: undefined, reading: undefined, lastWords: undefined }
      this.#open.set(socket, connection)
      socket.once('close', () => this.#open.delete(socket))
    }
    return connection
  }

  get size(): number {
    return this.#open.size
  }

  begin(connection: Connection, request: IncomingMessage): void {
    connection.last = request
    connection.inFlight += 1
  }

  /** The answer to a request has left, or its client. */
  end(connection: Connection, request: IncomingMessage): void {
    connection.inFlight -= 1
    if (connection.inFlight > 0) return
    const { socket, closing, lastWords } = connection
    if (lastWords !== undefined) this.#say(connection, lastWords)
    else if (!closing && request.complete && isAside(socket)) socket.answered()
  }

  /** Sends `words` behind the answers under way and closes; not where one of those closes already. */
  closeWith(connection: Connection, words: Buffer): void {
    if (connection.closing) return
    connection.closing = true
    connection.lastWords = words
    if (connection.inFlight === 0) this.#say(connection, words)
  }

  /** Closes softly: what the client still sends is read away for a moment, or a reset would eat the answer. */
  linger(connection: Connection): void {
    const { socket } = connection
    connection.closing = true
    socket.destroySoon = () => {
      socket.end()
      this.#clock.after(LINGER_MS, () => socket.destroy())
    }
  }

  /** Closes every connection at once. */
  destroyAll(): void {
    for (const socket of this.#open.keys()) socket.destroy()
  }

  #say(connection: Connection, words: Buffer): void {
    const { socket } = connection
    connection.lastWords = undefined
    if (!socket.writable) {
      socket.destroy()
      return
    }
    socket.end(words)
    this.#clock.after(LINGER_MS, () => socket.destroy())
  }
}
