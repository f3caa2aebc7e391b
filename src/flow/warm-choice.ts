/**
 * Which of the remembered keys are worth asking for: after a start, after an invalidation, before their hour, in quiet times.
 *
 * Floor 3, room flow. Pure but for what memory knows of a key. What is not likely to be read while it is fresh is not chosen,
 * however hot it is: a window of a minute at night is a minute.
 */
import type { Entry } from '../model/entry.ts'
import type { HotBook, HotKey } from './warm-book.ts'
import type { WarmCause } from './warm-budget.ts'
import type { Moment } from './warm-calendar.ts'

/** A key that is to be warmed. */
export interface Choice {
  readonly hot: HotKey
  readonly cause: WarmCause
  readonly chance: number
  /** Not wanted any more after this, `clock.now()`. */
  readonly untilMs: number
  /** What stands until then makes it superfluous. */
  readonly neededAtMs: number
}

/** What choosing goes by. */
export interface ChoiceParts {
  readonly book: HotBook
  readonly memory: { look(key: string): Entry | undefined }
  readonly minChance: number
  readonly leadMs: number
  /** It is refreshed before it ends anyway. */
  isWatched(key: string): boolean
  /** A key as it is by now: its namespace may have another version. */
  rename(key: string): string
}

const URGENT_MS = 60_000
const HOUR_MS = 3_600_000
/** In quiet times what has less of its window left is renewed before others need the origin. */
const QUIET_LEFT = 0.5

/** After a start: what is not there, hottest first. */
export function chooseForStart({ book, memory, minChance }: ChoiceParts, now: number): Choice[] {
  return book.hottest(now).flatMap((hot) => {
    const rate = Math.max(book.rateOf(hot, now), book.recentRateOf(hot, now))
    const chance = chanceOf(rate, hot.freshMs)
    if (chance < minChance || freshEnd(memory.look(hot.key)) > now) return []
    return [{ hot, cause: 'start' as const, chance, untilMs: now + URGENT_MS, neededAtMs: now }]
  })
}

/** After an invalidation: what stood fresh and does not any more, hottest first. */
export function chooseAfterBump({ book, memory, minChance, rename }: ChoiceParts, now: number): Choice[] {
  const gone: HotKey[] = []
  for (const hot of book.all()) {
    if (hot.endMs <= now || freshEnd(memory.look(rename(hot.key))) > now) continue
    hot.endMs = now
    gone.push(hot)
  }
  return book.sorted(gone, now).flatMap((hot) => {
    const chance = chanceOf(book.recentRateOf(hot, now), hot.freshMs)
    return chance < minChance ? [] : [{ hot, cause: 'bump' as const, chance, untilMs: now + URGENT_MS, neededAtMs: now }]
  })
}

/** Shortly before an hour: what is usually read in it and will not stand. */
export function chooseForHour(parts: ChoiceParts, now: number, moment: Moment): Choice[] {
  const leftMs = HOUR_MS - moment.minute * 60_000
  if (leftMs > parts.leadMs) return []
  const hour = (moment.hour + 1) % 24
  const next = { hour, weekday: hour === 0 ? (moment.weekday + 1) % 7 : moment.weekday, minute: 0 }
  const chosen: Choice[] = []
  for (const hot of parts.book.all()) {
    const usefulMs = hot.freshMs - leftMs
    if (usefulMs <= 0 || !hot.rhythm.isSound) continue
    const chance = hot.rhythm.within(next, Math.min(usefulMs, HOUR_MS))
    const neededAtMs = now + leftMs + Math.min(usefulMs, HOUR_MS) / 2
    if (chance < parts.minChance || freshEnd(parts.memory.look(parts.rename(hot.key))) >= neededAtMs) continue
    chosen.push({ hot, cause: 'rhythm', chance, untilMs: now + leftMs, neededAtMs })
  }
  return byChance(chosen)
}

/** In quiet times: what has ended or soon will, and is likely to be read in what a reading now would add. */
export function chooseForQuiet(parts: ChoiceParts, now: number, moment: Moment): Choice[] {
  const { book, memory, minChance, rename } = parts
  const chosen: Choice[] = []
  for (const hot of book.all()) {
    if (chanceOf(book.rateOf(hot, now), hot.freshMs) < minChance) continue // cheap, and most of them
    const endMs = Math.max(now, freshEnd(memory.look(rename(hot.key))))
    if (endMs > now && parts.isWatched(hot.key)) continue
    const addedMs = now + hot.freshMs - endMs
    const neededAtMs = now + hot.freshMs * QUIET_LEFT
    if (endMs > neededAtMs) continue
    const { rhythm } = hot
    const chance = rhythm.isSound ? rhythm.within(moment, addedMs) : chanceOf(book.rateOf(hot, now), addedMs)
    if (chance >= minChance) chosen.push({ hot, cause: 'quiet', chance, untilMs: now + URGENT_MS, neededAtMs })
  }
  return byChance(chosen)
}

/** When the fresh window of what stands ends; in the past for ever where nothing does. */
export function freshEnd(entry: Entry | undefined): number {
  return entry === undefined || entry.kind !== 'value' ? Number.NEGATIVE_INFINITY : entry.storedAt + entry.budget.freshMs
}

/** The chance of at least one read within `ms`, where they come independently. */
function chanceOf(rate: number, ms: number): number {
  return 1 - Math.exp(-rate * Math.max(0, ms))
}

function byChance(chosen: Choice[]): Choice[] {
  return chosen.sort((a, b) => b.chance - a.chance)
}
