/**
 * What the log asks of a NATS, whatever client library speaks to it.
 *
 * Floor 2, room tier. Nothing here waits without a deadline.
 */

/** A message as it came. */
export interface NatsMessage {
  readonly data: Uint8Array
  /** Where an answer goes; of a stream's messages: their place. */
  readonly reply: string
  /** Of a message of the server's own (idle, flow control, nothing there); 0: it is none. */
  readonly status: number
}

/** One connection while it lasts. */
export interface NatsConnection {
  /** Longest message that the server takes, bytes. */
  readonly maxPayload: number
  readonly isOpen: boolean
  /**
   * @throws (rejects) FC_LINK_TIMEOUT, FC_LINK_DOWN when the connection ends, FC_LINK_REPLY with the reason `no responders`
   *   where nobody listens to the subject
   */
  request(subject: string, body: string | Uint8Array, how: NatsCall): Promise<NatsMessage>
  /** Sends without an answer. @throws FC_LINK_DOWN */
  publish(subject: string, body: string, reply?: string): void
  /** @param listen runs for each message @returns a function that stops it */
  subscribe(subject: string, listen: (message: NatsMessage) => void): () => void
  /** A subject that nobody else uses. */
  inbox(): string
}

/** How one question is asked. */
export interface NatsCall {
  readonly deadlineMs: number
  readonly headers?: Readonly<Record<string, string>>
}

/** Kept connected. */
export interface NatsPort {
  /** The connection now. @throws FC_LINK_DOWN, FC_LINK_PEER */
  connection(): NatsConnection
  /** Runs at each connection that is opened. @returns a function that stops it */
  onOpen(listener: (connection: NatsConnection) => void): () => void
  close(): void
}
