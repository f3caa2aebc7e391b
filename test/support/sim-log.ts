/**
 * The log between machines in a simulation's store: the same steps as the scripts of src/tier/redis-log-scripts.ts, one
 * script a step. test/contract/drift.test.ts compares every reply with that of the scripts in a real server.
 */
import type { Acknowledgement, Appended, Heard, LogRow, LogStore, Proof } from '../../src/tier/log-store.ts'
import type { SimNode } from '../../src/sim/node.ts'
import type { StoreData } from '../../src/sim/store-data.ts'

const META = 'log:meta'
const LOG = 'log'
const MEMBERS = 'log:members'

interface Place {
  readonly now: number
  readonly generation: string
  readonly floor: number
  readonly age: number
  /** Since when members may be missing from the list; 0: none is. */
  readonly scattered: number
}

/** A member's end. */
export class SimLog implements LogStore {
  readonly member: string
  readonly #node: SimNode
  readonly #ttlMs: number
  readonly #isFirstKnown: boolean
  #inbox = 0
  #born: string | undefined

  /**
   * @param ttlMs members that were not heard for so long count as dead
   * @param isFirstKnown nobody lived before the first log of the first run: a world begins with it
   */
  constructor(node: SimNode, ttlMs: number, isFirstKnown = true) {
    this.#node = node
    this.#ttlMs = ttlMs
    this.#isFirstKnown = isFirstKnown
    this.member = `${node.name}.${node.process.life}`
  }

  prove(deadlineMs: number): Promise<Proof> {
    return this.#node.store.run((data) => {
      const { generation, floor, now, scattered } = this.#place(data)
      for (const [member, until] of data.hgetall(MEMBERS)) if (Number(until) <= now) data.hset(MEMBERS, member, undefined)
      data.hset(MEMBERS, this.member, String(now + this.#ttlMs))
      const first = data.xread(LOG, 0, 1)[0]
      const last = data.xlast(LOG)
      const trimmed = first === undefined ? last : first.id - 1
      const unsureMs = scattered > 0 ? scattered + this.#ttlMs - now : 0
      return { generation, floor: Math.max(floor, trimmed), last, members: [...data.hgetall(MEMBERS).keys()], unsureMs }
    }, deadlineMs)
  }

  append(expected: string, texts: readonly string[], deadlineMs: number): Promise<Appended> {
    return this.#node.store.run((data) => {
      const { generation, now, age } = this.#place(data)
      const members = [...data.hgetall(MEMBERS)].filter(([, until]) => Number(until) >= now).map(([member]) => member)
      const unsureMs = this.#ttlMs - age
      if (generation !== expected) return { generation, first: 0, members, unsureMs }
      const first = data.xlast(LOG) + 1
      for (const text of texts) data.xadd(LOG, JSON.stringify([generation, this.member, text]))
      return { generation, first, members, unsureMs }
    }, deadlineMs)
  }

  read(after: number, limit: number, deadlineMs: number): Promise<readonly LogRow[]> {
    return this.#node.store.run((data) => rowsOf(data, after, limit), deadlineMs)
  }

  async listen(after: number, waitMs: number): Promise<Heard> {
    const inbox = `log:in:${this.member}`
    const heard = await this.#node.store.wait((data) => {
      const rows = rowsOf(data, after, 1000)
      this.#noticeLoss(data)
      const words = data.xread(inbox, this.#inbox)
      return rows.length === 0 && words.length === 0 ? undefined : { rows, words }
    }, waitMs)
    if (heard === undefined) return { rows: [], acknowledgements: [] }
    this.#inbox = heard.words.at(-1)?.id ?? this.#inbox
    return { rows: heard.rows, acknowledgements: heard.words.map(({ value }) => JSON.parse(value) as Acknowledgement) }
  }

  redial(): void {}

  async acknowledge(to: ReadonlyMap<string, Acknowledgement>, deadlineMs: number): Promise<void> {
    await this.#node.store.run((data) => {
      for (const [member, word] of to) data.xadd(`log:in:${member}`, JSON.stringify(word))
    }, deadlineMs)
  }

  onBack(): () => void {
    return () => {}
  }

  async leave(deadlineMs: number): Promise<void> {
    const leave = (data: StoreData): void => {
      data.hset(MEMBERS, this.member, undefined)
      // An empty list that nobody evicted.
      if (data.hgetall(MEMBERS).size === 0) data.hset(MEMBERS, '', '0')
    }
    await this.#node.store.run(leave, deadlineMs).catch(() => {})
  }

  /** Inboxes of a server that lost everything count from 1 again; the real ones count by time. */
  #noticeLoss(data: StoreData): void {
    const born = data.hget(META, 'born')
    if (born !== this.#born && this.#born !== undefined) this.#inbox = 0
    this.#born = born
  }

  /** Which log it is: another one after every run of the server, and once its name is lost. */
  #place(data: StoreData): Place {
    const now = data.time()
    const row = data.hgetall(META)
    const ttl = this.#ttlMs
    let generation = row.get('generation')
    let floor = Number(row.get('floor') ?? 0)
    let begun = Number(row.get('begun') ?? 0)
    const heard = Number(row.get('heard') ?? 0)
    let scattered = Number(row.get('scattered') ?? 0)
    if (generation === undefined || row.get('run') !== data.runId) {
      generation = `${data.runId}-${Math.floor(this.#node.random() * 1e15).toString(36)}`
      floor = data.xlast(LOG)
      begun = this.#isFirstKnown && data.runId === 'run1' ? now - ttl : now
      scattered = 0
      data.xtrim(LOG, 0)
      if (row.get('born') === undefined) data.hset(META, 'born', generation)
      const fresh = { generation, run: data.runId, floor: String(floor), begun: String(begun) }
      for (const [name, value] of Object.entries(fresh)) data.hset(META, name, value)
    } else if (now < heard || now > heard + ttl) {
      begun += now - heard
      if (scattered > 0) scattered += now - heard
      data.hset(META, 'begun', String(begun))
      for (const member of data.hgetall(MEMBERS).keys()) if (member !== '') data.hset(MEMBERS, member, String(now + ttl))
    } else if (data.hgetall(MEMBERS).size === 0) {
      begun = now
      scattered = now
      data.hset(META, 'begun', String(begun))
    }
    data.hset(META, 'scattered', String(scattered))
    data.hset(META, 'heard', String(now))
    return { now, generation, floor, age: now - begun, scattered }
  }
}

function rowsOf(data: StoreData, after: number, limit: number): LogRow[] {
  return data.xread(LOG, after, limit).map(({ id, value }) => {
    const [generation, member, text] = JSON.parse(value) as [string, string, string]
    return { sequence: id, generation, member, text }
  })
}
