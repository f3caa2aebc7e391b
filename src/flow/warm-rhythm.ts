/**
 * The rhythm of a key: in which hours of the day and on which weekdays it is read, and whether that is a rhythm at all.
 *
 * Floor 3, room flow. Counted are days on which it was read in an hour, not reads: a hundred reads of one morning are one
 * morning. Only whole days that were watched count, so that a process which was away has seen nothing missing. What lies
 * back fades. 40 numbers a key, written once a day.
 */

const HOURS = 24
const WEEKDAYS = 7
/** Places: hours, read weekdays, watched weekdays, reads. */
const READ_AT = HOURS
const SEEN_AT = HOURS + WEEKDAYS
const READS_AT = SEEN_AT + WEEKDAYS

/** Numbers of a rhythm, for whoever keeps it. */
export const RHYTHM_WORDS = READS_AT + 1

/** A day fades by this: half after three weeks. */
const FADE = 0.97
const MIN_DAYS = 2.5
/** One hour in 24 by chance: `n` times the divergence from flat, e to the minus so much being the odds against it. */
const MIN_ONE = 6.9
/** All 24 together: chi square with 23 degrees of freedom at 0.001. */
const MIN_ALL = 49.7
const MAX_SPAN_HOURS = 48

/** See the module's header. */
export class Rhythm {
  readonly words: Float32Array
  /** Hours of today in which it was read, a bit each. */
  today = 0
  /** Reads of today. */
  #reads = 0
  /** Undefined: the day has changed it. */
  #isSound: boolean | undefined

  constructor(words = new Float32Array(RHYTHM_WORDS)) {
    this.words = words
  }

  note(hour: number, reads: number): void {
    this.today |= 1 << hour
    this.#reads += reads
  }

  /** The day is over. @param isWhole it was watched from end to end; else nothing can be said of it */
  close(weekday: number, isWhole: boolean): void {
    const { words, today } = this
    if (isWhole) {
      for (let at = 0; at < RHYTHM_WORDS; at += 1) words[at] = (words[at] as number) * FADE
      for (let hour = 0; hour < HOURS; hour += 1) if ((today & (1 << hour)) !== 0) words[hour] = this.#at(hour) + 1
      if (today !== 0) words[READ_AT + weekday] = this.#at(READ_AT + weekday) + 1
      words[SEEN_AT + weekday] = this.#at(SEEN_AT + weekday) + 1
      words[READS_AT] = this.#at(READS_AT) + this.#reads
    }
    this.today = 0
    this.#reads = 0
    this.#isSound = undefined
  }

  /** Whether there is one: enough days, and too uneven for chance. */
  get isSound(): boolean {
    this.#isSound ??= this.#test()
    return this.#isSound
  }

  #test(): boolean {
    const hits = this.#sum(0, HOURS)
    if (this.#sum(SEEN_AT, WEEKDAYS) < MIN_DAYS || hits === 0) return false
    let all = 0
    for (let hour = 0; hour < HOURS; hour += 1) {
      const share = this.#at(hour) / hits
      if (share === 0) continue
      const own = hits * share * Math.log(share * HOURS)
      all += 2 * own
      const rest = share === 1 ? 0 : hits * (1 - share) * Math.log(((1 - share) * HOURS) / (HOURS - 1))
      if (share * HOURS > 1 && own + rest >= MIN_ONE) return true
    }
    return all >= MIN_ALL
  }

  /** The chance that it is read in this hour of such a day; whether there is a rhythm is not asked here. */
  chance(hour: number, weekday: number): number {
    const active = this.#sum(READ_AT, WEEKDAYS)
    const days = this.#sum(SEEN_AT, WEEKDAYS)
    if (active === 0 || days === 0) return 0
    // A weekday that was seen once or never leans on all days together.
    const onDay = (this.#at(READ_AT + weekday) + active / days) / (this.#at(SEEN_AT + weekday) + 1)
    return Math.min(1, (this.#at(hour) / active) * onDay)
  }

  /** The chance that it is read within `spanMs` from such a moment on. */
  within(from: { readonly hour: number; readonly weekday: number; readonly minute: number }, spanMs: number): number {
    const hits = this.#sum(0, HOURS)
    const reads = hits === 0 ? 1 : Math.max(1, this.#at(READS_AT) / hits)
    const whole = 1 - Math.exp(-reads)
    let { hour, weekday } = from
    let left = Math.min(MAX_SPAN_HOURS, spanMs / HOUR_MS)
    let here = 1 - from.minute / 60
    let never = 1
    while (left > 0) {
      const part = Math.min(left, here)
      never *= 1 - (this.chance(hour, weekday) * (1 - Math.exp(-reads * part))) / whole
      left -= part
      here = 1
      hour = (hour + 1) % HOURS
      if (hour === 0) weekday = (weekday + 1) % WEEKDAYS
    }
    return 1 - never
  }

  #at(place: number): number {
    return this.words[place] as number
  }

  #sum(from: number, count: number): number {
    let sum = 0
    for (let at = from; at < from + count; at += 1) sum += this.#at(at)
    return sum
  }
}

const HOUR_MS = 3_600_000
