/**
 * A request without content that the lane recognised and could not answer at once: it goes to the door from here.
 *
 * Floor 5, room server. Its fields were admitted and forwarded when the lane read them; nothing of it is parsed again.
 */
import type { Socket } from 'node:net'
import { ForecacheError } from '../model/errors.ts'
import type { Reply, RequestHead, ResponseHead } from '../model/exchange.ts'
import type { AnswerContext, Inbound } from './inbound.ts'
import { informInLane, sendInLane } from './lane-send.ts'
import type { Peer } from './peer.ts'

/** Where a request came in. */
export interface LaneArrival {
  readonly socket: Socket
  readonly peer: Peer
  readonly method: 'GET' | 'HEAD'
  readonly target: string
  readonly keepAliveSeconds: number
  /** Whether connections are to be closed behind their answers. */
  draining(): boolean
  /** The answer was handed over. @param last nothing more is to be read from the connection */
  onAnswered(last: boolean): void
}

/** See the module's header. */
export class LaneIncoming implements Inbound {
  readonly #arrival: LaneArrival
  readonly #head: RequestHead
  #answered = false
  #distrusted = false

  /** @param head as forwarded */
  constructor(arrival: LaneArrival, head: RequestHead) {
    this.#arrival = arrival
    this.#head = head
  }

  get url(): string {
    return this.#arrival.target
  }

  get headers(): Inbound['headers'] {
    return Object.fromEntries(this.#head.fields)
  }

  get peer(): Peer {
    return this.#arrival.peer
  }

  /** As forwarded already. */
  admit(): RequestHead {
    return this.#head
  }

  content(): undefined {
    return undefined
  }

  signal(): AbortSignal {
    const abort = new AbortController()
    const { socket } = this.#arrival
    const gone = (): void => {
      if (!this.#answered) abort.abort(new ForecacheError('FC_REQUEST_ABORTED'))
    }
    this.#leave = () => socket.off('close', gone)
    socket.once('close', gone)
    return abort.signal
  }

  distrust(): void {
    this.#distrusted = true
  }

  inform(head: ResponseHead): void {
    if (!this.#answered) informInLane(this.#arrival.socket, head)
  }

  async send(reply: Reply, { via, latencyUs }: AnswerContext): Promise<void> {
    const { socket, method, keepAliveSeconds, draining, onAnswered } = this.#arrival
    const close = this.#distrusted || draining()
    const sending = sendInLane(socket, reply, { method, keepAliveSeconds, context: { via, latencyUs, close } })
    if (sending !== undefined) await sending
    this.#answered = true
    this.#leave()
    onAnswered(close)
  }

  abort(): void {
    this.#arrival.socket.destroy()
  }

  #leave: () => void = () => {}
}
