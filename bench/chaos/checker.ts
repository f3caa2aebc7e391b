/**
 * What was promised, checked against what clients of real processes saw. Times are those of the client's one steady clock;
 * an operation begins before its request is sent and ends after its answer was read, so whatever happens inside counts in favour
 * of the instance that was asked, never against it. What each promise says here:
 *
 * - P1: a read that begins after an instance has answered an invalidation, at that instance in that life, gets nothing older.
 *   No exemption: whatever else is wrong.
 * - P2: an invalidation whose answer says that all instances have followed (`acknowledged` = `expected`, with a place in the
 *   log) holds for reads that begin later at any instance. Exempt where `blind: budget` was chosen: a reader that may not have been counted
 *   then (down, cut off or starved while the invalidation was under way, or for a member's time to live before) *and* was out of
 *   sight of the log when it was asked. Who was counted has applied it, and no lack of anything takes that back.
 * - P3: an invalidation that has its place holds, `blindAfter` after its answer, for every reader that reaches the store; with
 *   `blind: miss` or `fail` for every reader.
 *
 *   Out of sight is, under `budget` alone: whose way was ill, until `recoverMs` after it was healed (a client waits up to a second
 *   before it connects anew); a new life for as long, for it has not found the log yet, nobody counts it, and
 *   once it has looked for the log for `blindAfter` in vain `budget` lets it serve what it has loaded itself; and who was starved: for
 *   half of a stretch of `blindAfter` it, the clients or the store waited for a core (the kernel says so, see `strain`). Nobody loses
 *   sight unless what he asks has no answer for three quarters of that time, and the rest is what they do when they have a core.
 *   The stretch ends while the read is under way, or at most a beat before: then the next question is asked. Time in which the
 *   reader stood still lies between the two as if it were none.
 * - P4: no answer is of a version that was superseded longer than its budget before the question. No exemption.
 * - P5: a read that bears the token of an invalidation gets nothing older, anywhere. No exemption.
 * - P6: everything is answered within its deadline. Time in which the instance stood still or was killed does not count, nor that for
 *   which it, the store or the clients waited for a core; 503 is an answer where `blind: fail` was chosen and something is ill.
 * - ONCE: where a scenario counts them, all instances together ask the origin no more often for a key than leases allow.
 * - SIGHT: where a scenario looks, an instance whose way to the store is slow, but not too slow to prove anything, is not blind.
 * - LOST: when everything is healed, every instance gives what the last invalidation of each key named, or newer. Exempt: an
 *   invalidation without a place (its answer says so) whose instance was killed before it could have one.
 */
import type { History, Read, Trouble, Write } from '../../src/sim/history.ts'
import type { PromiseName } from '../../src/sim/promises.ts'
import type { Finding } from './arena.ts'
import type { Stretch } from './waits.ts'

/** What is promised. */
export interface Bounds {
  readonly blindAfterMs: number
  readonly blind: 'budget' | 'miss' | 'fail'
  readonly recoverMs: number
  readonly budgetMs: number
  readonly readMs: number
  readonly writeMs: number
}

/** A promise that was broken. */
export interface Breach {
  readonly promise: PromiseName | 'LOST' | Finding['promise']
  readonly text: string
  readonly operation: Read | Write
}

/** Who knows since when a version is old. */
export interface Truth {
  supersededAt(key: string, version: number): number
}

/** Who knows how long instances got no core, see `strain`. */
export interface Starving {
  between(name: string, from: number, to: number): number
  isStarved(name: string, stretch: Stretch): boolean
}

/** What a history is judged by. */
export interface Measure {
  readonly bounds: Bounds
  /** Reads that began when everything was healed and quiet. */
  readonly finals: readonly Read[]
  /** Absent: every process got what it needed. */
  readonly strain?: Starving
}

/** Timers fire late by so much, and the store's clock counts whole ms. */
const GRAIN_MS = 25
/** A member is in the list for so many times `blindAfter` after it was last heard. */
const MEMBER_TTL = 1.25
/** Share of `blindAfter` from one question to the next. */
const BEAT = 0.25

/** See the module's header. */
export function check(history: History, truth: Truth, { bounds, finals, strain = RESTED }: Measure): Breach[] {
  const found: Breach[] = []
  const late = new Set(finals)
  const scene = { history, truth, bounds, strain }
  for (const read of history.reads) {
    if (isAnswered(read)) found.push(...judgeRead(read, { ...scene, isFinal: late.has(read) }))
  }
  for (const one of [...history.reads, ...history.writes]) found.push(...judgeEnd(one, scene))
  return found
}

const RESTED: Starving = { between: () => 0, isStarved: () => false }

interface Ground {
  readonly history: History
  readonly truth: Truth
  readonly bounds: Bounds
  readonly strain: Starving
}

interface Scene extends Ground {
  readonly isFinal: boolean
}

function judgeRead(read: Read, scene: Scene): Breach[] {
  const found: Breach[] = []
  const { history, truth, bounds, isFinal } = scene
  for (const write of history.writes) {
    if (write.key !== read.key || read.version >= write.version) continue
    const promise = brokenBy(read, write, scene)
    if (promise !== undefined) found.push(breach(promise, read, write))
    else if (isFinal && isHeld(write, history)) found.push(breach('LOST', read, write))
  }
  const oldMs = read.begunAt - truth.supersededAt(read.key, read.version)
  if (oldMs > bounds.budgetMs + GRAIN_MS) {
    found.push({ promise: 'P4', text: `${name(read)}, superseded ${Math.round(oldMs)} ms before the question`, operation: read })
  }
  return found
}

function brokenBy(read: Read, write: Write, scene: Scene): PromiseName | undefined {
  if (read.tokenOf === write) return 'P5'
  if (!isAnswered(write) || write.ended > read.begun) return undefined
  if (write.node === read.node && write.life === read.life) return 'P1'
  if (!isPlaced(write)) return undefined
  const { bounds } = scene
  const mayBeBlind = bounds.blind === 'budget' && isOutOfSight(read, scene)
  if (write.expected === write.acknowledged && !(mayBeBlind && wasUncounted(read, write, scene))) return 'P2'
  const isDue = read.begunAt > write.endedAt + bounds.blindAfterMs + GRAIN_MS
  return isDue && !mayBeBlind ? 'P3' : undefined
}

/** Whether the reader can have been missing from the list of members when all of them had followed. */
function wasUncounted(read: Read, write: Write, { history, bounds, strain }: Ground): boolean {
  const { blindAfterMs, recoverMs } = bounds
  const since = write.begunAt - blindAfterMs * MEMBER_TTL
  const isNear = ({ kind, from, to }: Trouble): boolean => {
    return from <= write.endedAt && to + (kind === 'sick' ? recoverMs : 0) >= since
  }
  if (troublesOf(read.node, history).some(isNear)) return true
  return strain.isStarved(read.node, { from: write.begunAt, to: write.endedAt, stretchMs: blindAfterMs })
}

/** Whether the reader can have asked in vain whether there is anything new. */
function isOutOfSight(read: Read, { history, bounds, strain }: Ground): boolean {
  const { blindAfterMs, recoverMs } = bounds
  const mine = troublesOf(read.node, history).filter(({ from }) => from <= read.endedAt)
  if (mine.some(({ kind, to }) => kind === 'sick' && to + recoverMs >= read.begunAt - blindAfterMs)) return true
  const halts = mine.filter(({ kind }) => kind === 'stop')
  const from = beforeOwnTime(read.begunAt, blindAfterMs * BEAT, halts)
  return strain.isStarved(read.node, { from, to: read.endedAt, stretchMs: blindAfterMs })
}

function troublesOf(node: string, { troubles }: History): readonly Trouble[] {
  return troubles.filter((trouble) => (trouble.node ?? node) === node)
}

/** While it stands still it asks nothing. @returns the moment so many ms before, without those */
function beforeOwnTime(at: number, ms: number, halts: readonly Trouble[]): number {
  let moment = at
  let leftMs = ms
  for (const { from, to } of [...halts].sort((a, b) => b.to - a.to)) {
    const ownMs = moment - to
    if (ownMs >= leftMs) break
    leftMs -= Math.max(0, ownMs)
    moment = Math.min(moment, from)
  }
  return moment - leftMs
}

function judgeEnd(one: Read | Write, { history, bounds, strain }: Ground): Breach[] {
  const halts = history.troubles.filter(({ kind, node, from, to }) => {
    return kind === 'stop' && node === one.node && from <= one.endedAt && to >= one.begunAt
  })
  const limitMs = one.kind === 'read' ? bounds.readMs : bounds.writeMs
  if (one.error !== undefined || one.endedAt === Number.POSITIVE_INFINITY) {
    const isRefused = bounds.blind === 'fail' && one.error?.startsWith('503') === true
    if (isRefused || (one.error !== undefined && halts.length > 0)) return []
    return [{ promise: 'P6', text: `${name(one)} failed: ${one.error ?? 'never answered'}`, operation: one }]
  }
  const since = Math.max(one.begunAt, ...halts.map(({ to }) => Math.min(to, one.endedAt)))
  if (one.endedAt - since <= limitMs + strain.between(one.node, since, one.endedAt)) return []
  return [{ promise: 'P6', text: `${name(one)} took ${Math.round(one.endedAt - since)} ms, ${limitMs} allowed`, operation: one }]
}

function isAnswered(one: Read | Write): boolean {
  return one.error === undefined && one.endedAt < Number.POSITIVE_INFINITY
}

function isPlaced({ token }: Write): boolean {
  return token !== undefined && !token.endsWith('?')
}

/** Answered, and nothing has ended its instance before it had its place. */
function isHeld(write: Write, { troubles }: History): boolean {
  if (!isAnswered(write)) return false
  return (
    isPlaced(write) || !troubles.some(({ kind, node, from }) => kind === 'stop' && node === write.node && from >= write.begunAt)
  )
}

function breach(promise: Breach['promise'], read: Read, write: Write): Breach {
  const ago = (read.begunAt - write.endedAt).toFixed(1)
  const counts = `${write.acknowledged} of ${write.expected}`
  return {
    promise,
    text: `${name(read)}, not v${write.version}: ${write.node} had answered ${ago} ms before, ${counts}`,
    operation: read,
  }
}

function name(one: Read | Write): string {
  if (one.kind === 'write') return `${one.node} invalidating ${one.key} v${one.version}`
  return `${one.node} gave ${one.key} v${one.version}${one.isCached ? ' from its cache' : ''}`
}
