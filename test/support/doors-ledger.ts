/**
 * The ledger of versions: who wrote which when, and whether what somebody was shown may be.
 *
 * One process writes it and everything happens on its clock: a write was run between its question and its reply; a
 * reading shows a state between its question and its reply. Most keys have one writer each, so that their versions are in
 * the order of his questions; of the others the server itself counts the versions.
 */
import type { DoorName } from './doors-clients.ts'

/** One version of one key. */
export interface Version {
  readonly number: number
  readonly isAbsent: boolean
  readonly askedMs: number
  ackedMs: number
  /** Place among all writes of its writer. */
  readonly place: number
  readonly lastsMs: number
}

/** What a reader knew when he asked. */
export interface Question {
  readonly client: number
  readonly door: DoorName
  readonly askedMs: number
  readonly known: readonly number[]
  /** Newest version of the key that was confirmed to anybody of his door when he asked; of his own, when he wrote it. */
  readonly confirmed: number
  readonly own: number
}

/** What is kept of one key. */
export class KeyLedger {
  readonly name: string
  /** The only writer; -1: anybody, by a script. */
  readonly owner: number
  readonly versions: Version[] = [{ number: 0, isAbsent: true, askedMs: 0, ackedMs: 0, place: 0, lastsMs: Infinity }]
  readonly confirmed: Record<DoorName, number> = { front: 0, hook: 0, direct: 0 }
  readonly own: number[]
  /** When pushes that name it have come to a door, the newest of them. */
  readonly pushes: Record<DoorName, number[]> = { front: [], hook: [], direct: [] }
  isBusy = false

  constructor(name: string, owner: number, clients: number) {
    this.name = name
    this.owner = owner
    this.own = new Array<number>(clients).fill(0)
  }

  get last(): Version {
    return this.versions.at(-1) as Version
  }

  /** In the order of their numbers: the server's may come in any. */
  add(version: Version): void {
    const at = this.versions.findLastIndex(({ number }) => number < version.number)
    this.versions.splice(at + 1, 0, version)
    if (this.versions.length > 4096) this.versions.splice(0, 2048)
  }

  pushed(door: DoorName, atMs: number): void {
    const times = this.pushes[door]
    times.push(atMs)
    if (times.length > 8) times.shift()
  }

  /** The oldest version above a number that is known of. */
  after(number: number): Version | undefined {
    for (let i = this.versions.length - 1; i >= 0; i -= 1) {
      const version = this.versions[i] as Version
      if (version.number <= number) return this.versions[i + 1]
    }
    return this.versions[0]
  }
}

/** Spare time for a value whose life is over, ms. */
const TIME_SLACK_MS = 5

/** No push is held back longer, ms. */
const HELD_BACK_MS = 2000

/** The server counts in whole ms: a life may be over so much earlier than asked for. */
const CLOCK_STEP_MS = 2

/** See the module's header. */
export class Ledger {
  readonly #maxStaleMs: number
  reads = 0
  worstStaleMs = 0
  readonly faults: string[] = []

  constructor(maxStaleMs: number) {
    this.#maxStaleMs = maxStaleMs
  }

  /** @param text `v12`, or null for absence @returns the version that was seen */
  check(key: KeyLedger, text: string | null, question: Question): Version | undefined {
    this.reads += 1
    const seen = this.#seen(key, text)
    if (seen === undefined) return undefined
    const fault = (what: string): void => {
      this.faults.push(
        `${question.door} ${question.client}, ${key.name}: ${text} of version ${seen.number} ${what}; ${told(key, seen.number)}`,
      )
    }
    if (seen.number < question.own) fault(`is older than the reader's own ${question.own}`)
    if (seen.number < question.confirmed) fault(`though ${question.confirmed} was confirmed at this door`)
    if (text !== null && question.askedMs > seen.ackedMs + seen.lastsMs + TIME_SLACK_MS) {
      fault(`outlived its time by ${question.askedMs - seen.ackedMs - seen.lastsMs} ms`)
    }
    const next = key.after(seen.number)
    if (next === undefined) return seen
    const staleMs = question.askedMs - next.ackedMs
    this.worstStaleMs = Math.max(this.worstStaleMs, staleMs)
    if (staleMs > this.#maxStaleMs) fault(`was replaced ${staleMs} ms before`)
    if (key.owner < 0) return seen
    // Pushes that were held back may be those of the version seen and of some before it; one more is its successor's or a later one's.
    const pushes = key.pushes[question.door].filter((at) => at > next.askedMs && at < question.askedMs)
    const late = key.versions.filter(({ number, ackedMs }) => number <= seen.number && ackedMs > next.askedMs - HELD_BACK_MS)
    if (next.lastsMs === Infinity && seen.lastsMs === Infinity && pushes.length > Math.max(1, late.length))
      fault('though the push of its successor had come')
    if (next.place <= (question.known[key.owner] as number)) fault(`though the reader knew of ${next.number} by what followed it`)
    return seen
  }

  #seen(key: KeyLedger, text: string | null): Version | undefined {
    if (text !== null) return key.versions.findLast(({ number }) => number === Number(text.slice(1)))
    // Absence may be any deletion, or any value whose time may be over: the newest that it can be.
    return key.versions.findLast(
      (version) =>
        version.isAbsent ||
        (version.lastsMs < Infinity && version.askedMs + version.lastsMs - CLOCK_STEP_MS <= performance.now()),
    )
  }
}

/** The versions around one, for a person who has to find out. */
function told(key: KeyLedger, number: number): string {
  const now = performance.now()
  const row = ({ number: n, askedMs, ackedMs, isAbsent, lastsMs }: Version): string =>
    `${n}${isAbsent ? ' (absent)' : ''} asked ${(now - askedMs).toFixed(2)} acked ${(now - ackedMs).toFixed(2)} ms ago, lasts ${lastsMs}`
  return key.versions
    .filter(({ number: n }) => Math.abs(n - number) < 3)
    .map(row)
    .join('; ')
}
