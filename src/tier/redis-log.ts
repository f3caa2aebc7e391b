/**
 * The log in a Redis or Valkey stream.
 *
 * Floor 2, room tier. One stream holds the records (ids `0-n`, n counting up by one), a hash beside it the log's name, its end
 * and the run of the server it was begun on, a sorted set the members by the server's own time, and a stream for each member
 * the acknowledgements it is owed. All of them share a hash tag, so that a cluster keeps them in one slot. Everything that
 * decides something is one script: a server that was restarted, replaced or emptied begins a log of another name before it
 * says or takes anything. One connection listens to both streams; nothing polls.
 */
import { randomBytes } from 'node:crypto'
import type { Position } from '../model/entry.ts'
import { formatWord, parseWord } from './acknowledgement.ts'
import type { Acknowledgement, Appended, Heard, LogRow, LogStore, Proof } from './log-store.ts'
import type { RedisReply } from './redis-client.ts'
import type { RedisPort, RedisSession } from './redis-port.ts'
import { ACKNOWLEDGE, APPEND, LEAVE, PROVE } from './redis-log-scripts.ts'

/** What a store is made of. */
export interface RedisLogParts {
  readonly redis: RedisPort
  /** Put before every key; without braces. */
  readonly prefix: string
  /** Members that were not heard for so long count as dead, ms; above the time that silence is trusted. */
  readonly memberTtlMs: number
  /** Records kept, about; a member that has been away for more begins anew. */
  readonly maxRecords: number
}

/** An inbox nobody looks at any more goes after this, ms. */
const INBOX_TTL_MS = 60_000
const PAGE = 1000
/** What a reply to a blocking read may take beyond its wait, ms. */
const LISTEN_MARGIN_MS = 500

/** See the module's header. */
export class RedisLog implements LogStore {
  readonly member = randomBytes(9).toString('base64url')
  readonly #parts: RedisLogParts
  readonly #keys: { readonly log: string; readonly meta: string; readonly members: string; readonly inbox: string }
  #session: RedisSession | undefined
  #inboxId = '0-0'
  #isClosed = false

  constructor(parts: RedisLogParts) {
    this.#parts = parts
    const tag = `{${parts.prefix}log}:`
    this.#keys = { log: `${tag}records`, meta: `${tag}meta`, members: `${tag}members`, inbox: `${tag}in:` }
  }

  async prove(deadlineMs: number): Promise<Proof> {
    const { log, meta, members, inbox } = this.#keys
    const { redis, memberTtlMs } = this.#parts
    const args = [newName(), String(memberTtlMs), this.member, String(INBOX_TTL_MS)]
    const reply = rowOf(await redis.run(PROVE, [meta, log, members, inbox + this.member], { args, deadlineMs }))
    const [generation, floor, last, living, unsureMs] = reply
    return {
      generation: String(generation),
      floor: Number(floor),
      last: Number(last),
      members: namesOf(living),
      unsureMs: Number(unsureMs),
    }
  }

  async append(generation: string, texts: readonly string[], deadlineMs: number): Promise<Appended> {
    const { log, meta, members } = this.#keys
    const { redis, maxRecords, memberTtlMs } = this.#parts
    const args = [newName(), String(memberTtlMs), generation, this.member, String(maxRecords), ...texts]
    const [name, first, living, age] = rowOf(await redis.run(APPEND, [meta, log, members], { args, deadlineMs }))
    return { generation: String(name), first: Number(first), members: namesOf(living), unsureMs: memberTtlMs - Number(age) }
  }

  async read(after: Position, limit: number, deadlineMs: number): Promise<readonly LogRow[]> {
    const { log } = this.#keys
    const command = ['XRANGE', log, `0-${after + 1}`, '+', 'COUNT', String(limit)]
    return parseRows(await this.#parts.redis.call(command, { key: log, deadlineMs }))
  }

  async listen(after: Position, waitMs: number): Promise<Heard> {
    const { log, inbox } = this.#keys
    const own = inbox + this.member
    const session = await this.#open()
    const streams = [log, own, `0-${after}`, this.#inboxId]
    const wait = String(Math.max(1, Math.round(waitMs)))
    const command = ['XREAD', 'COUNT', String(PAGE), 'BLOCK', wait, 'STREAMS', ...streams]
    let reply: RedisReply
    try {
      reply = await session.call(command, waitMs + LISTEN_MARGIN_MS)
    } catch (error) {
      this.#hangUp(session)
      throw error
    }
    const heard = new Map((reply === null ? [] : rowOf(reply)).map((row) => [String(rowOf(row)[0]), rowOf(row)[1] ?? []]))
    const words = rowOf(heard.get(own) ?? [])
    const lastWord = words.at(-1)
    if (lastWord !== undefined) this.#inboxId = String(rowOf(lastWord)[0])
    return { rows: parseRows(heard.get(log) ?? []), acknowledgements: words.flatMap(wordOf) }
  }

  redial(): void {
    if (this.#session !== undefined) this.#hangUp(this.#session)
  }

  async acknowledge(to: ReadonlyMap<string, Acknowledgement>, deadlineMs: number): Promise<void> {
    const keys = [...to.keys()].map((member) => this.#keys.inbox + member)
    const args = [...[...to.values()].map(formatWord), String(INBOX_TTL_MS)]
    await this.#parts.redis.run(ACKNOWLEDGE, keys, { args, deadlineMs })
  }

  onBack(run: () => void): () => void {
    return this.#parts.redis.onState(({ isUp }) => {
      if (isUp) run()
    })
  }

  async leave(deadlineMs: number): Promise<void> {
    this.#isClosed = true
    this.#session?.close()
    const { members, inbox } = this.#keys
    const gone = this.#parts.redis.run(LEAVE, [members, inbox + this.member], { args: [this.member], deadlineMs })
    await gone.catch(() => {}) // it is taken for dead soon, without a word
  }

  async #open(): Promise<RedisSession> {
    const session = this.#session ?? (await this.#parts.redis.session(this.#keys.log))
    this.#session = session
    if (this.#isClosed) session.close()
    return session
  }

  #hangUp(session: RedisSession): void {
    session.close()
    if (this.#session === session) this.#session = undefined
  }
}

/** A name for a log, should it have to begin now. */
function newName(): string {
  return randomBytes(9).toString('base64url')
}

function rowOf(reply: RedisReply): readonly RedisReply[] {
  return Array.isArray(reply) ? (reply as readonly RedisReply[]) : []
}

function namesOf(reply: RedisReply | undefined): string[] {
  return rowOf(reply ?? []).map(String)
}

/** Rows of another form than this release writes still have their place: their text names everything. */
function parseRows(reply: RedisReply): LogRow[] {
  return rowOf(reply).map((row) => {
    const [id, cells] = rowOf(row)
    const fields = rowOf(cells ?? [])
    const field = (name: string): string => {
      const at = fields.findIndex((cell, index) => index % 2 === 0 && String(cell) === name)
      return at < 0 ? '' : String(fields[at + 1])
    }
    return { sequence: Number(String(id).slice(2)), generation: field('g'), member: field('m'), text: field('d') }
  })
}

function wordOf(row: RedisReply): Acknowledgement[] {
  const word = parseWord(String(rowOf(rowOf(row)[1] ?? [])[1]))
  return word === undefined ? [] : [word]
}
