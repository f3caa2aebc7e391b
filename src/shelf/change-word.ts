/**
 * What is learned of one key's changes, in one Int32: how often a refresh was compared with what stood, how often it
 * differed, and the mean time between the two readings of either outcome.
 *
 * Floor 1, room shelf. Counts of 7 bits, halved when they are full, so that what was long ago fades; times as levels of a
 * sixteenth of an octave, 1 ms to 49 days. A level moves by less than its step: it is rounded by turns, up and down, so that
 * it follows the mean and does not stick. Pure; 0 is a key of which nothing is known.
 */

/** A word, unpacked. */
export interface KeyChange {
  /** Refreshes that were compared; fading. */
  readonly seen: number
  /** Those that brought something else. */
  readonly changed: number
  /** Mean time between the two readings where nothing had changed, ms; 0: there was none. */
  readonly quietMs: number
  /** The same where something had. */
  readonly changedMs: number
}

const COUNT_BITS = 7
const LEVEL_BITS = 9
const MAX_COUNT = 2 ** COUNT_BITS - 1
const MAX_LEVEL = 2 ** LEVEL_BITS - 1
/** Levels of an octave. */
const STEPS = 16
/** A mean is of about so many gaps. */
const MEMORY = 32
/** The golden section: its multiples lie evenly between 0 and 1. */
const TURNS = 0.618_033_988_749_895

const CHANGED_SHIFT = COUNT_BITS
const QUIET_SHIFT = 2 * COUNT_BITS
const CHANGED_LEVEL_SHIFT = QUIET_SHIFT + LEVEL_BITS

/** @param gapMs between the beginnings of the two readings, above 0 @returns the word with one more comparison */
export function noteChange(word: number, hasChanged: boolean, gapMs: number): number {
  let [seen, changed] = [word & MAX_COUNT, (word >>> CHANGED_SHIFT) & MAX_COUNT]
  let quietLevel = (word >>> QUIET_SHIFT) & MAX_LEVEL
  let changedLevel = word >>> CHANGED_LEVEL_SHIFT
  if (seen === MAX_COUNT) {
    // An odd half is rounded by the level's own parity: no way for always.
    changed = (changed + (quietLevel & 1)) >> 1
    seen = Math.max(changed, seen >> 1)
  }
  const turn = (seen * TURNS) % 1
  if (hasChanged) changedLevel = follow(changedLevel, { gapMs, count: changed, turn })
  else quietLevel = follow(quietLevel, { gapMs, count: seen - changed, turn })
  seen += 1
  if (hasChanged) changed += 1
  return seen | (changed << CHANGED_SHIFT) | (quietLevel << QUIET_SHIFT) | (changedLevel << CHANGED_LEVEL_SHIFT) | 0
}

export function readChange(word: number): KeyChange {
  const [seen, changed] = [word & MAX_COUNT, (word >>> CHANGED_SHIFT) & MAX_COUNT]
  const quietMs = seen === changed ? 0 : msOf((word >>> QUIET_SHIFT) & MAX_LEVEL)
  return { seen, changed, quietMs, changedMs: changed === 0 ? 0 : msOf(word >>> CHANGED_LEVEL_SHIFT) }
}

/** @param count gaps that the level is the mean of */
function follow(level: number, { gapMs, count, turn }: { gapMs: number; count: number; turn: number }): number {
  const mean = msOf(level)
  const next = count === 0 ? gapMs : mean + (gapMs - mean) / Math.min(count + 1, MEMORY)
  const exact = Math.log2(Math.max(1, next)) * STEPS
  return Math.min(MAX_LEVEL, Math.floor(exact + (count === 0 ? 0.5 : turn)))
}

function msOf(level: number): number {
  return 2 ** (level / STEPS)
}
