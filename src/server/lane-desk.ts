/**
 * What a lane asks of the port it stands before: may this request be answered at once, and with which bytes.
 *
 * Floor 5, room server. Everything is synchronous and nobody is asked: what a desk does not know for sure, it leaves to
 * the full HTTP stack by answering undefined.
 */
import type { RequestHead } from '../model/exchange.ts'
import type { Inbound } from './inbound.ts'
import type { Peer } from './peer.ts'

/** Who stands at the other end of a lane's connection. */
export interface LanePeer {
  readonly peer: Peer
  readonly scheme: 'http' | 'https'
}

/** An answer ready to be written. */
export interface LaneAnswer {
  /** Status line, fields, empty line. Valid until the next question to its desk: copy it. */
  readonly head: Uint8Array
  /** Never changed; left out in answers to HEAD. */
  readonly body: Uint8Array | undefined
  /** Both in one buffer that is never changed, where that is kept. */
  readonly whole?: Buffer | undefined
}

/** A request that waits for its answer. */
export interface LaneErrand {
  readonly head: RequestHead
  run(incoming: Inbound, head: RequestHead): void
}

/**
 * See the module's header.
 *
 * @typeParam F what the fields of a request say; kept as long as a connection repeats them
 * @typeParam K a request as it is known; kept as long as a connection repeats it
 */
export interface LaneDesk<F = unknown, K = unknown> {
  /** @param raw flat name, value list of well-formed fields without content or a say in the connection */
  read(raw: readonly string[], from: LanePeer): F | undefined
  know(fields: F, method: 'GET' | 'HEAD', target: string): K | undefined
  /** Counts what it answers. @param now `clock.now()` when the request came */
  answer(known: K, now: number): LaneAnswer | undefined
  /**
   * Takes a request that is not answered at once. Absent, or answering undefined: the full stack takes it.
   *
   * @returns its head as forwarded, and who answers it
   */
  await?(fields: F, method: 'GET' | 'HEAD', target: string): LaneErrand | undefined
  /** @param ms from the request to its answer handed over */
  time(known: K, ms: number): void
}
