/**
 * The steps of src/tier/redis-log-scripts.ts over plain values: a log, its members and their inboxes. test/contract/drift.test.ts
 * compares every reply with that of the scripts in a real server.
 */
import type { Acknowledgement, Appended, LogRow, Proof } from '../../../src/tier/log-store.ts'

/** What a member is told, under a number that no other word ever had. */
export interface Word {
  readonly id: number
  readonly word: Acknowledgement
}

const NOTHING: readonly LogRow[] = []
const NO_WORDS: readonly Word[] = []

/** What a replica knows. */
export interface LogImage {
  readonly generation: string
  readonly run: number
  readonly last: number
  readonly floor: number
  readonly begun: number
  readonly heard: number
  readonly scattered: number
  readonly rows: LogRow[]
  readonly members: Map<string, number>
}

/** See the module's header. */
export class LeanLog {
  /** Members live so long after they were heard, ms. */
  readonly #ttlMs: number
  /** The server's wall clock, ms. */
  readonly #time: () => number
  /** Names for logs. */
  readonly #name: () => string
  run = 1
  generation = ''
  #run = 0
  #last = 0
  #floor = 0
  #begun = 0
  #heard = 0
  #scattered = 0
  #rows: LogRow[] = []
  #members = new Map<string, number>()
  #isListed = false
  readonly #inboxes = new Map<string, Word[]>()
  #words = 0

  constructor(ttlMs: number, time: () => number, name: () => string) {
    this.#ttlMs = ttlMs
    this.#time = time
    this.#name = name
  }

  get last(): number {
    return this.#last
  }

  /** Everything is gone, and it is another run. */
  empty(): void {
    this.run += 1
    this.generation = ''
    this.#run = this.#last = this.#floor = this.#begun = this.#heard = this.#scattered = 0
    this.#rows = []
    this.#members.clear()
    this.#isListed = false
    this.#inboxes.clear()
  }

  /** The list of members is gone, as by eviction. */
  scatter(): void {
    this.#members.clear()
    this.#isListed = false
  }

  image(): LogImage {
    return {
      generation: this.generation,
      run: this.#run,
      last: this.#last,
      floor: this.#floor,
      begun: this.#begun,
      heard: this.#heard,
      scattered: this.#scattered,
      rows: this.#rows.slice(),
      members: new Map(this.#members),
    }
  }

  /** Another server that knows no more than this. */
  failOver(image: LogImage): void {
    this.run += 1
    this.generation = image.generation
    this.#run = image.run
    this.#last = image.last
    this.#floor = image.floor
    this.#begun = image.begun
    this.#heard = image.heard
    this.#scattered = image.scattered
    this.#rows = image.rows.slice()
    this.#members = new Map(image.members)
    this.#isListed = image.members.size > 0
  }

  prove(member: string): Proof {
    const now = this.#place()
    for (const [name, until] of this.#members) if (until <= now) this.#members.delete(name)
    this.#members.set(member, now + this.#ttlMs)
    this.#isListed = true
    const first = this.#rows[0]
    const trimmed = first === undefined ? this.#last : first.sequence - 1
    return {
      generation: this.generation,
      floor: Math.max(this.#floor, trimmed),
      last: this.#last,
      members: [...this.#members.keys()],
      unsureMs: this.#scattered > 0 ? this.#scattered + this.#ttlMs - now : 0,
    }
  }

  append(member: string, expected: string, texts: readonly string[]): Appended {
    const now = this.#place()
    const members: string[] = []
    for (const [name, until] of this.#members) if (until >= now) members.push(name)
    const { generation } = this
    const unsureMs = this.#ttlMs - (now - this.#begun)
    if (generation !== expected) return { generation, first: 0, members, unsureMs }
    const first = this.#last + 1
    for (const text of texts) {
      this.#last += 1
      this.#rows.push({ sequence: this.#last, generation, member, text })
    }
    return { generation, first, members, unsureMs }
  }

  read(after: number): readonly LogRow[] {
    if (this.#rows.length === 0 || (this.#rows.at(-1) as LogRow).sequence <= after) return NOTHING
    return this.#rows.filter(({ sequence }) => sequence > after)
  }

  tell(member: string, word: Acknowledgement): void {
    const told = { id: (this.#words += 1), word }
    const inbox = this.#inboxes.get(member)
    if (inbox === undefined) this.#inboxes.set(member, [told])
    else inbox.push(told)
  }

  words(member: string, after: number): readonly Word[] {
    const inbox = this.#inboxes.get(member)
    if (inbox === undefined || (inbox.at(-1)?.id ?? 0) <= after) return NO_WORDS
    return inbox.filter(({ id }) => id > after)
  }

  /** Forgets the oldest records. */
  trim(keep: number): void {
    if (this.#rows.length > keep) this.#rows.splice(0, this.#rows.length - keep)
  }

  /** A member was not heard of for too long. */
  end(member: string): void {
    if (this.#members.has(member)) this.#members.set(member, 1)
  }

  leave(member: string): void {
    this.#members.delete(member)
    this.#isListed = true // an empty list that nobody evicted
    this.#inboxes.delete(member)
  }

  /** Which log it is. @returns the server's time */
  #place(): number {
    const now = this.#time()
    const ttl = this.#ttlMs
    if (this.generation === '' || this.#run !== this.run) {
      this.generation = this.#name()
      this.#run = this.run
      this.#floor = this.#last
      this.#begun = now
      this.#rows = []
      this.#scattered = 0
    } else if (now < this.#heard || now > this.#heard + ttl) {
      this.#begun += now - this.#heard
      if (this.#scattered > 0) this.#scattered += now - this.#heard
      for (const name of this.#members.keys()) this.#members.set(name, now + ttl)
    } else if (!this.#isListed) {
      this.#begun = now
      this.#scattered = now
    }
    this.#heard = now
    return now
  }
}
