/**
 * Records as JetStream hands them out: pushed one after another, or a page on demand.
 *
 * Floor 2, room tier. Both are consumers that end by themselves. What a feed loses (a connection that broke, a buffer that is
 * full) leaves a gap that its reader sees; nothing here repairs it. A place in the log is the stream's number less one: the
 * first message is the log's name.
 */
import type { Clock } from '../model/clock.ts'
import type { Position } from '../model/entry.ts'
import { openConsumer } from './jetstream-api.ts'
import type { LogRow } from './log-store.ts'
import type { NatsConnection, NatsMessage } from './nats-port.ts'

/** Which log, and where it stands. */
export interface FeedSource {
  readonly connection: NatsConnection
  readonly stream: string
  /** Subject of its records. */
  readonly subject: string
  readonly generation: string
}

const NANO_PER_MS = 1_000_000
/** A consumer that nobody hears goes after this, ms. */
const INACTIVE_MS = 10_000
/** Records that wait to be taken; what comes beyond is left to be read. */
const MAX_BUFFERED = 10_000
const STATUS_CONTROL = 100

/** A message's text: who appended it, and what. */
export function formatRecord(member: string, text: string): string {
  return `${member}\n${text}`
}

/** @returns undefined for what is no message of a stream */
function parseRow(message: NatsMessage, generation: string): (LogRow & { readonly pending: number }) | undefined {
  // $JS.ACK.[domain.account.]stream.consumer.delivered.sequence.consumer-sequence.time.pending[.random]
  const words = message.reply.split('.')
  const at = words.length > 9 ? 7 : 5
  const sequence = Number(words[at])
  const pending = Number(words[at + 3])
  if (words[0] !== '$JS' || !Number.isSafeInteger(sequence) || !Number.isSafeInteger(pending)) return undefined
  const { data } = message
  const body = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8')
  const end = body.indexOf('\n')
  return { sequence: sequence - 1, generation, member: body.slice(0, Math.max(0, end)), text: body.slice(end + 1), pending }
}

function consumerOf({ subject }: FeedSource, after: Position): Record<string, unknown> {
  return {
    deliver_policy: 'by_start_sequence',
    opt_start_seq: after + 2,
    ack_policy: 'none',
    replay_policy: 'instant',
    filter_subject: subject,
    mem_storage: true,
    inactive_threshold: INACTIVE_MS * NANO_PER_MS,
  }
}

/** Records after a place that stand there now, in order. @throws (rejects) FC_LINK_* */
export async function readRows(
  source: FeedSource,
  { after, limit }: { readonly after: Position; readonly limit: number },
  { clock, deadlineMs }: { readonly clock: Clock; readonly deadlineMs: number },
): Promise<readonly LogRow[]> {
  const { connection, stream, generation } = source
  const endAt = clock.now() + deadlineMs
  const consumer = await openConsumer(connection, { stream, config: consumerOf(source, after) }, deadlineMs)
  const rows: LogRow[] = []
  const inbox = connection.inbox()
  return new Promise((resolve) => {
    const finish = (): void => {
      stop()
      timer.cancel()
      resolve(rows)
    }
    const stop = connection.subscribe(inbox, (message) => {
      const row = message.status === 0 ? parseRow(message, generation) : undefined
      if (row === undefined) return finish() // nothing more stands there
      rows.push(row)
      if (row.pending === 0 || rows.length >= limit) finish()
    })
    // What has come by then follows without a gap, and is worth having.
    const timer = clock.after(Math.max(1, endAt - clock.now()), finish)
    connection.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`, JSON.stringify({ batch: limit, no_wait: true }), inbox)
  })
}

/** See the module's header. */
export class JetStreamFeed {
  readonly source: FeedSource
  readonly #clock: Clock
  readonly #idleMs: number
  readonly #stop: () => void
  #rows: LogRow[] = []
  #heardAt: number
  #isLost = false

  private constructor(
    source: FeedSource,
    { clock, idleMs, inbox, wake }: { readonly clock: Clock; readonly idleMs: number; readonly inbox: string; wake(): void },
  ) {
    this.source = source
    this.#clock = clock
    this.#idleMs = idleMs
    this.#heardAt = clock.now()
    this.#stop = source.connection.subscribe(inbox, (message) => {
      this.#hear(message)
      if (this.#rows.length > 0) wake()
    })
  }

  /**
   * Begins behind a place.
   *
   * @param how.idleMs the server says that it is there whenever nothing was said for so long
   * @param how.wake runs when something is there to be taken
   */
  static async open(
    source: FeedSource,
    after: Position,
    how: { readonly clock: Clock; readonly idleMs: number; wake(): void },
  ): Promise<JetStreamFeed> {
    const inbox = source.connection.inbox()
    const feed = new JetStreamFeed(source, { ...how, inbox })
    const config = {
      ...consumerOf(source, after),
      deliver_subject: inbox,
      flow_control: true,
      idle_heartbeat: Math.ceil(how.idleMs) * NANO_PER_MS,
    }
    try {
      await openConsumer(source.connection, { stream: source.stream, config }, how.idleMs)
    } catch (error) {
      feed.close()
      throw error
    }
    return feed
  }

  /** Whether anything may still come of it: the server was heard lately, and nothing was thrown away. */
  get isAlive(): boolean {
    return this.source.connection.isOpen && !this.#isLost && this.#clock.now() - this.#heardAt < this.#idleMs * 3
  }

  get hasRows(): boolean {
    return this.#rows.length > 0
  }

  /** What has come, but for what its reader has already. */
  take(after: Position): readonly LogRow[] {
    const rows = this.#rows.filter(({ sequence }) => sequence > after)
    this.#rows = []
    return rows
  }

  close(): void {
    this.#isLost = true
    this.#stop()
  }

  /** Flow control: the server sends on when it hears that what it sent has arrived. */
  #answer(subject: string): void {
    try {
      this.source.connection.publish(subject, '')
    } catch {
      this.#isLost = true // the connection has just ended
    }
  }

  #hear(message: NatsMessage): void {
    this.#heardAt = this.#clock.now()
    if (message.status !== 0) {
      if (message.status === STATUS_CONTROL && message.reply !== '') this.#answer(message.reply)
      return
    }
    const row = parseRow(message, this.source.generation)
    if (row === undefined) return
    if (this.#rows.length >= MAX_BUFFERED) this.#isLost = true
    else this.#rows.push(row)
  }
}
