/**
 * Which log stands in JetStream, how far it goes, and who follows it.
 *
 * Floor 2, room tier. Begins the log where there is none: whoever comes first wins, the others find his. A log that has no name
 * (emptied under its members) or that ends before where it was known to end is thrown away, for nobody can know what is missing.
 * A member beats before it asks, so that whoever trusts silence stands in the list of members. The list is unsure while
 * the log or the list is young, and after the server's clock was set: beats live by that clock.
 */
import { randomBytes } from 'node:crypto'
import type { Clock } from '../model/clock.ts'
import type { Position } from '../model/entry.ts'
import { ForecacheError } from '../model/errors.ts'
import {
  API_ERROR,
  deleteStream,
  isApiError,
  type LogNames,
  readStream,
  store,
  type StreamInfo,
  writeStream,
} from './jetstream-api.ts'
import type { Placed, Proof } from './log-store.ts'
import type { NatsConnection } from './nats-port.ts'

export interface PlaceParts {
  readonly clock: Clock
  readonly names: LogNames
  readonly member: string
  readonly memberTtlMs: number
  readonly maxRecords: number
}

const NANO_PER_MS = 1_000_000
const ATTEMPTS = 30
/** Who begins a log names it in the next breath; what has no name after this is none. */
const NAMED_WITHIN_MS = 150
const LOOK_EVERY_MS = 20
/** Of a member's time to live: the server's clock has been set if it moved so much against ours, and a new list is whole after it. */
const SHARE = 0.25

/** See the module's header. */
export class JetStreamPlace {
  readonly #parts: PlaceParts
  #generation = ''
  /** The log is known to go so far. */
  #last: Position = 0
  #lastBeat = 0
  #nameless: { readonly subject: string | undefined; readonly since: number } | undefined
  /** When this log was seen first here. */
  #seenAt = Number.POSITIVE_INFINITY
  /** When it began, by the server's wall clock. */
  #begunAt = Number.POSITIVE_INFINITY
  #listCreated = ''
  #scatteredAt = Number.NEGATIVE_INFINITY
  /** The server's wall clock less ours. */
  #offset: number | undefined

  constructor(parts: PlaceParts) {
    this.#parts = parts
  }

  /** Name of the log; '' until one was found. */
  get generation(): string {
    return this.#generation
  }

  /** The log goes at least so far. */
  get last(): Position {
    return this.#last
  }

  /** @throws (rejects) FC_LINK_* */
  async prove(connection: NatsConnection, deadlineMs: number): Promise<Proof> {
    const { clock, names } = this.#parts
    const endAt = clock.now() + deadlineMs
    const leftMs = (): number => Math.max(1, endAt - clock.now())
    for (let attempt = 0; attempt < ATTEMPTS && clock.now() < endAt; attempt += 1) {
      const known = { generation: this.#generation, last: this.#last } // before the question: answers may come in any order
      await this.beat(connection, leftMs())
      const log = await readStream(connection, { name: names.log, subjects: `${names.records}.>` }, leftMs())
      // After the log: who lived when its last record was placed, and is not here now, is dead.
      const list = await this.#list(connection, leftMs())
      if (log === undefined) await this.#create(connection, leftMs())
      else if (nameOf(log, names) === undefined) await this.#awaitName(connection, log, leftMs())
      else if (list !== undefined) {
        const generation = nameOf(log, names) as string
        const last = log.state.last_seq - 1
        if (generation === known.generation && last < known.last) await this.retire(connection, leftMs())
        else return this.#proof(log, list)
      }
    }
    throw new ForecacheError('FC_LINK_TIMEOUT', { address: names.log, ms: deadlineMs })
  }

  /** Says that this member lives. */
  async beat(connection: NatsConnection, deadlineMs: number): Promise<void> {
    const { names, member, clock } = this.#parts
    const known = this.#lastBeat
    const message = { subject: `${names.beats}.${member}`, body: '' }
    let number = await store(connection, message, { deadlineMs })
    if (number === undefined) {
      await this.#createList(connection, deadlineMs)
      number = await store(connection, message, { deadlineMs })
      if (number === undefined) throw new ForecacheError('FC_LINK_REPLY', { subject: names.members, reason: 'no stream' })
    }
    if (number <= known) this.#scatteredAt = clock.now() // the list has begun anew
    this.#lastBeat = number <= known ? number : Math.max(number, this.#lastBeat)
  }

  /** Who lives now. Call `beat` before. @throws (rejects) FC_LINK_* */
  async members(connection: NatsConnection, deadlineMs: number): Promise<Placed> {
    const { memberTtlMs } = this.#parts
    const list = await this.#list(connection, deadlineMs)
    if (list === undefined) return { members: [], unsureMs: memberTtlMs }
    return { members: this.#namesIn(list), unsureMs: this.#unsureMs(list) }
  }

  /** Records stand up to there. */
  reach(generation: string, last: Position): void {
    if (generation === this.#generation) this.#last = Math.max(this.#last, last)
  }

  /** Throws the log away: it has lost something. */
  async retire(connection: NatsConnection, deadlineMs: number): Promise<void> {
    await deleteStream(connection, this.#parts.names.log, deadlineMs)
  }

  /** Says that this member has left: it stands in the list for as long as its last beat. */
  async leave(connection: NatsConnection, deadlineMs: number): Promise<void> {
    const { names, member } = this.#parts
    await store(connection, { subject: `${names.farewells}.${member}`, body: '' }, { deadlineMs })
  }

  #proof(log: StreamInfo, list: StreamInfo): Proof {
    const { names } = this.#parts
    const generation = nameOf(log, names) as string
    const last = log.state.last_seq - 1
    if (generation !== this.#generation) {
      this.#generation = generation
      this.#last = last
      this.#seenAt = this.#parts.clock.now()
      this.#begunAt = Date.parse(log.state.first_ts)
    } else this.#last = Math.max(this.#last, last)
    const records = log.state.subjects?.[`${names.records}.${generation}.r`] ?? 0
    const unsureMs = this.#unsureMs(list)
    return { generation, floor: last - records, last, members: this.#namesIn(list), unsureMs }
  }

  #unsureMs(list: StreamInfo): number {
    const { clock, memberTtlMs } = this.#parts
    const now = clock.now()
    const server = Date.parse(list.state.last_ts)
    if (list.created !== this.#listCreated) {
      if (this.#listCreated !== '') this.#scatteredAt = now
      this.#listCreated = list.created
    }
    const offset = server - now
    if (this.#offset !== undefined && Math.abs(offset - this.#offset) > memberTtlMs * SHARE) this.#scatteredAt = now
    this.#offset = offset
    const seenMs = now - this.#seenAt
    // One server, one clock; of several each has its own.
    const toldMs = list.cluster !== undefined ? 0 : Math.min(server - this.#begunAt, server - Date.parse(list.created))
    const ageMs = Math.max(seenMs, toldMs)
    return Math.max(0, memberTtlMs - ageMs, memberTtlMs * SHARE - seenMs, memberTtlMs - (now - this.#scatteredAt))
  }

  #namesIn(list: StreamInfo): string[] {
    const { beats, farewells } = this.#parts.names
    const subjects = Object.keys(list.state.subjects ?? {})
    const named = (before: string): string[] =>
      subjects.filter((subject) => subject.startsWith(`${before}.`)).map((subject) => subject.slice(before.length + 1))
    const gone = new Set(named(farewells))
    return named(beats).filter((member) => !gone.has(member))
  }

  /** @returns undefined where beats do not live long enough there: one with a shorter time to live has made it */
  async #list(connection: NatsConnection, deadlineMs: number): Promise<StreamInfo | undefined> {
    const { names, memberTtlMs } = this.#parts
    const list = await readStream(connection, { name: names.members, subjects: '>' }, deadlineMs)
    if (list === undefined || (list.config.max_age ?? 0) >= memberTtlMs * NANO_PER_MS) return list
    await writeStream(connection, { how: 'UPDATE', config: this.#listConfig() }, deadlineMs)
    return undefined
  }

  async #create(connection: NatsConnection, deadlineMs: number): Promise<void> {
    const { names, maxRecords } = this.#parts
    const generation = randomBytes(9).toString('base64url')
    const config = {
      ...MEMORY,
      name: names.log,
      subjects: [`${names.records}.${generation}.>`],
      max_msgs_per_subject: maxRecords,
      deny_delete: true,
    }
    if (await this.#make(connection, config, deadlineMs)) await this.#name(connection, generation, deadlineMs)
  }

  async #createList(connection: NatsConnection, deadlineMs: number): Promise<void> {
    await this.#make(connection, this.#listConfig(), deadlineMs)
  }

  /** @returns whether it was made now: another's is as good */
  async #make(
    connection: NatsConnection,
    config: { readonly name: string } & Record<string, unknown>,
    deadlineMs: number,
  ): Promise<boolean> {
    try {
      await writeStream(connection, { how: 'CREATE', config }, deadlineMs)
      return true
    } catch (error) {
      if (!isApiError(error, API_ERROR.nameInUse)) throw error
      return false
    }
  }

  /** Nobody names a log but he who has begun it: one that has lost its name, and perhaps more, would have it again. */
  async #name(connection: NatsConnection, generation: string, deadlineMs: number): Promise<void> {
    const subject = `${this.#parts.names.records}.${generation}.name`
    const headers = { 'Nats-Expected-Last-Sequence': '0' }
    try {
      await store(connection, { subject, body: '' }, { deadlineMs, headers })
    } catch (error) {
      if (!isApiError(error, API_ERROR.wrongLast)) throw error
    }
  }

  /** A log without a name is being begun by another, or is none. */
  async #awaitName(connection: NatsConnection, { config, state }: StreamInfo, deadlineMs: number): Promise<void> {
    const { clock } = this.#parts
    const [subject] = config.subjects
    const known = this.#nameless
    const nameless = known !== undefined && known.subject === subject ? known : { subject, since: clock.now() }
    this.#nameless = nameless
    if (state.last_seq > 0 || clock.now() - nameless.since > NAMED_WITHIN_MS) return this.retire(connection, deadlineMs)
    await new Promise<void>((resolve) => void clock.after(LOOK_EVERY_MS, resolve))
  }

  #listConfig(): { readonly name: string } & Record<string, unknown> {
    const { names, memberTtlMs } = this.#parts
    return {
      ...MEMORY,
      name: names.members,
      subjects: [`${names.beats}.*`, `${names.farewells}.*`],
      max_msgs_per_subject: 1,
      max_age: Math.ceil(memberTtlMs) * NANO_PER_MS,
      deny_delete: true,
      deny_purge: true,
    }
  }
}

const MEMORY = {
  storage: 'memory',
  retention: 'limits',
  discard: 'old',
  num_replicas: 1,
  max_consumers: -1,
  max_msgs: -1,
  max_bytes: -1,
  duplicate_window: 100 * NANO_PER_MS,
}

/** @returns undefined: it has none */
function nameOf({ config, state }: StreamInfo, { records }: LogNames): string | undefined {
  const generation = (config.subjects[0] as string).slice(records.length + 1, -2)
  return state.subjects?.[`${records}.${generation}.name`] === undefined ? undefined : generation
}
