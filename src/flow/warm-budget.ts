/**
 * What warming may cost, and whether it pays: tokens earned by what clients load, a rate, and what became of what was warmed.
 *
 * Floor 3, room flow. O(1).
 */

/** Why a key is warmed. */
export type WarmCause = 'bump' | 'start' | 'rhythm' | 'quiet'

/** Extra requests are paid for; what readers would ask for in a moment anyway is only limited in its rate. */
export function isUrgent(cause: WarmCause): boolean {
  return cause === 'bump' || cause === 'start'
}

/** Limits of a budget. */
export interface WarmBudgetOptions {
  readonly extra: number
  /** Requests a second. */
  readonly rate: number
  readonly urgentRate: number
  /** Most that may be saved up. */
  readonly maxTokens: number
}

/** Before anything was earned. */
const CREDIT = 2
/** Of what is given: what a reading spares is an estimate, and budgets are kept rather than used up. */
const SHARE = 0.86

/** See the module's header. */
export class WarmBudget {
  readonly #options: WarmBudgetOptions
  #tokens: number
  /** Kept back for hours to come, and how much that may be. */
  #kept = 0
  #mostKept = 0
  readonly #rate: Pace
  readonly #urgent: Pace

  constructor(options: WarmBudgetOptions) {
    this.#options = options
    this.#tokens = Math.min(CREDIT, options.maxTokens * options.extra)
    this.#rate = new Pace(options.rate)
    this.#urgent = new Pace(options.urgentRate)
  }

  /** Requests that may be spent in quiet times. */
  get tokens(): number {
    return this.#tokens
  }

  /** So many keys have an hour: for them is put by first, or quiet times would have spent it all by then. */
  expect(keys: number): void {
    this.#mostKept = Math.min(keys, this.#options.maxTokens)
    this.#tokens += Math.max(0, this.#kept - this.#mostKept)
    this.#kept = Math.min(this.#kept, this.#mostKept)
  }

  /** Somebody waited for a load. */
  earn(): void {
    this.#add(this.#options.extra * SHARE)
  }

  /** It was read, and spared its reader so much of a load. */
  refund(part: number): void {
    this.#add(part)
  }

  /** Whether there is anything to be spent on it. */
  affords(cause: WarmCause): boolean {
    return isUrgent(cause) || this.#tokens >= 1 || (cause === 'rhythm' && this.#kept >= 1)
  }

  /** @returns whether one may be made now; it counts as made */
  take(cause: WarmCause, now: number): boolean {
    if (isUrgent(cause)) return this.#urgent.take(now)
    if (!this.affords(cause) || !this.#rate.take(now)) return false
    if (cause === 'rhythm' && this.#kept >= 1) this.#kept -= 1
    else this.#tokens -= 1
    return true
  }

  #add(tokens: number): void {
    const kept = Math.min(tokens, this.#mostKept - this.#kept)
    this.#kept += kept
    this.#tokens = Math.min(this.#options.maxTokens, this.#tokens + tokens - kept)
  }
}

class Pace {
  readonly #perMs: number
  readonly #most: number
  #left: number
  #atMs = Number.NEGATIVE_INFINITY

  constructor(perSecond: number) {
    this.#perMs = perSecond / 1000
    this.#most = Math.max(1, perSecond / 4)
    this.#left = this.#most
  }

  take(now: number): boolean {
    this.#left = Math.min(this.#most, this.#left + Math.max(0, now - this.#atMs) * this.#perMs)
    this.#atMs = now
    if (this.#left < 1) return false
    this.#left -= 1
    return true
  }
}

const TRIALS = 20
const RETRIALS = 8
const FIRST_PAUSE_MS = 3_600_000
const MAX_PAUSE_MS = 86_400_000
const FADE = 0.98

/** Whether warming for one cause pays on one route. */
export class WarmPayoff {
  readonly #minPrecision: number
  #outcomes = 0
  #read = 0
  #trials = TRIALS
  #pauses = 0
  #offUntilMs = 0

  constructor(minPrecision: number) {
    this.#minPrecision = minPrecision
  }

  /** Of what was warmed, how much was read; of late. 1 before anything is known. */
  get precision(): number {
    return this.#outcomes === 0 ? 1 : this.#read / this.#outcomes
  }

  isOff(now: number): boolean {
    return now < this.#offUntilMs
  }

  /** How many may be without an outcome: few until it is known to pay. */
  get maxOpen(): number {
    return TRIALS + this.#read * 4
  }

  /** @returns whether this switched it off */
  settle(wasRead: boolean, now: number): boolean {
    this.#outcomes = this.#outcomes * FADE + 1
    this.#read = this.#read * FADE + (wasRead ? 1 : 0)
    if (this.#outcomes < this.#trials * 0.8 || this.isOff(now)) return false
    if (this.precision >= this.#minPrecision) {
      this.#pauses = 0
      return false
    }
    this.#offUntilMs = now + Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#pauses)
    this.#pauses = Math.min(this.#pauses + 1, 10)
    this.#outcomes = 0
    this.#read = 0
    this.#trials = RETRIALS
    return true
  }
}
