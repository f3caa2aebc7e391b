/**
 * The log in a NATS JetStream.
 *
 * Floor 2, room tier. One stream in the memory of one server holds the records, its first message the log's name, which is part
 * of every record's subject too: what was meant for a log that is gone finds nobody who takes it. A second stream holds the
 * members' beats and farewells, each for its time to live. Acknowledgements are plain messages. A server that was restarted
 * has lost both streams, and a log of another name begins; one that was purged has lost its name and is thrown away. One copy, not
 * several, because only then whoever answers has every record: a leader that was cut off goes on answering for seconds.
 */
import { randomBytes } from 'node:crypto'
import type { Clock } from '../model/clock.ts'
import type { Position } from '../model/entry.ts'
import { ForecacheError } from '../model/errors.ts'
import { formatWord, parseWord } from './acknowledgement.ts'
import { isFull, namesOf, store } from './jetstream-api.ts'
import { type FeedSource, formatRecord, JetStreamFeed, readRows } from './jetstream-feed.ts'
import { JetStreamPlace } from './jetstream-place.ts'
import type { Acknowledgement, Appended, Heard, LogRow, LogStore, Proof } from './log-store.ts'
import type { NatsConnection, NatsPort } from './nats-port.ts'

/** What a store is made of. */
export interface JetStreamParts {
  readonly nats: NatsPort
  readonly clock: Clock
  /** Names the log; several may share a server. */
  readonly prefix: string
  /** Members that were not heard for so long count as dead, ms; above the time that silence is trusted. */
  readonly memberTtlMs: number
  /** Records kept; a member that has been away for more begins anew. */
  readonly maxRecords: number
}

/** Acknowledgements that wait to be taken. */
const MAX_INBOX = 10_000
/** Of a message: subject, headers and the member's name. */
const FRAME_BYTES = 1024

/** See the module's header. */
export class JetStreamLog implements LogStore {
  readonly member = randomBytes(9).toString('base64url')
  readonly #parts: JetStreamParts
  readonly #names: ReturnType<typeof namesOf>
  readonly #place: JetStreamPlace
  readonly #stopOpen: () => void
  #feed: JetStreamFeed | undefined
  #inbox: Acknowledgement[] = []
  #wake: () => void = () => {}

  constructor(parts: JetStreamParts) {
    this.#parts = parts
    this.#names = namesOf(parts.prefix)
    this.#place = new JetStreamPlace({ ...parts, names: this.#names, member: this.member })
    this.#stopOpen = parts.nats.onOpen((connection) => this.#attend(connection))
  }

  prove(deadlineMs: number): Promise<Proof> {
    return this.#place.prove(this.#parts.nats.connection(), deadlineMs)
  }

  async append(generation: string, texts: readonly string[], deadlineMs: number): Promise<Appended> {
    const connection = this.#parts.nats.connection()
    const { last } = this.#place
    // The beat stands before the list is read: a server whose clock was set has shown it by then.
    const [numbers] = await Promise.all([
      this.#store(connection, { generation, texts }, deadlineMs),
      this.#place.beat(connection, deadlineMs),
    ])
    const places = numbers.map((number) => (number ?? 0) - 1)
    const isOther = generation !== this.#place.generation || numbers.some((number) => number === undefined)
    if (isOther) return { generation: this.#place.generation, first: 0, members: [], unsureMs: this.#parts.memberTtlMs }
    if (places.some((place) => place <= last)) {
      await this.#place.retire(connection, deadlineMs) // it has begun anew under its old name
      return { generation: '', first: 0, members: [], unsureMs: this.#parts.memberTtlMs }
    }
    this.#place.reach(generation, Math.max(...places))
    const { members, unsureMs } = await this.#place.members(connection, deadlineMs)
    return { generation, first: places[0] as Position, places, members, unsureMs }
  }

  async read(after: Position, limit: number, deadlineMs: number): Promise<readonly LogRow[]> {
    const { clock } = this.#parts
    return readRows(this.#source(), { after, limit }, { clock, deadlineMs })
  }

  async listen(after: Position, waitMs: number): Promise<Heard> {
    const feed = await this.#feedBehind(after, waitMs)
    if (!feed.hasRows && this.#inbox.length === 0) await this.#rest(waitMs)
    const acknowledgements = this.#inbox
    this.#inbox = []
    const rows = feed.take(after)
    if (!feed.isAlive && rows.length === 0 && acknowledgements.length === 0) {
      this.redial()
      throw new ForecacheError('FC_LINK_DOWN', { address: this.#names.log, reason: 'nothing is heard of the stream' })
    }
    return { rows, acknowledgements }
  }

  redial(): void {
    this.#feed?.close()
    this.#feed = undefined
  }

  async acknowledge(to: ReadonlyMap<string, Acknowledgement>, _deadlineMs: number): Promise<void> {
    const connection = this.#parts.nats.connection()
    for (const [member, word] of to) connection.publish(`${this.#names.inboxes}.${member}`, formatWord(word))
  }

  onBack(run: () => void): () => void {
    return this.#parts.nats.onOpen(run)
  }

  async leave(deadlineMs: number): Promise<void> {
    this.redial()
    this.#stopOpen()
    this.#wake()
    const { nats } = this.#parts
    try {
      await this.#place.leave(nats.connection(), deadlineMs)
    } catch {
      // It is taken for dead soon, without a word.
    }
    nats.close()
  }

  /** What is for this member alone, on each connection anew. */
  #attend(connection: NatsConnection): void {
    connection.subscribe(`${this.#names.inboxes}.${this.member}`, ({ data }) => {
      const word = parseWord(textOf(data))
      if (word === undefined || this.#inbox.length >= MAX_INBOX) return
      this.#inbox.push(word)
      this.#wake()
    })
  }

  /** @returns each one's number in the stream; undefined: its log is gone */
  async #store(
    connection: NatsConnection,
    { generation, texts }: { readonly generation: string; readonly texts: readonly string[] },
    deadlineMs: number,
  ): Promise<readonly (number | undefined)[]> {
    const subject = this.#subjectOf(generation)
    try {
      const bodies = texts.map((text) => this.#bodyOf(text, connection))
      return await Promise.all(bodies.map((body) => store(connection, { subject, body }, { deadlineMs })))
    } catch (error) {
      // Who cannot append would be heard by nobody, ever: a new log has room.
      if (isFull(error)) await this.#place.retire(connection, deadlineMs)
      throw error
    }
  }

  async #feedBehind(after: Position, waitMs: number): Promise<JetStreamFeed> {
    const source = this.#source()
    const old = this.#feed
    if (old?.isAlive === true && old.source.connection === source.connection && old.source.generation === source.generation)
      return old
    this.redial()
    const { clock } = this.#parts
    const feed = await JetStreamFeed.open(source, after, {
      clock,
      idleMs: Math.max(MIN_IDLE_MS, waitMs),
      wake: () => this.#wake(),
    })
    this.#feed = feed
    return feed
  }

  #source(): FeedSource {
    const { generation } = this.#place
    return {
      connection: this.#parts.nats.connection(),
      stream: this.#names.log,
      subject: this.#subjectOf(generation),
      generation,
    }
  }

  #subjectOf(generation: string): string {
    return `${this.#names.records}.${generation}.r`
  }

  /** What no message can hold names everything. */
  #bodyOf(text: string, { maxPayload }: NatsConnection): string {
    const isTooLong = Buffer.byteLength(text) + FRAME_BYTES > maxPayload
    return formatRecord(this.member, isTooLong ? '' : text)
  }

  #rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#parts.clock.after(ms, resolve)
      this.#wake = () => {
        this.#wake = () => {}
        timer.cancel()
        resolve()
      }
    })
  }
}

/** JetStream's least time between two signs of life is 100 ms. */
const MIN_IDLE_MS = 100

function textOf(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8')
}
