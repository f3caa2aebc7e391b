/**
 * Reading a snapshot into memory, before anything is served.
 *
 * Floor 3, room flow. Call it before the first request, so that nothing can have been written here meanwhile. Takes its
 * deadline and no more: a disk or a log that hangs costs the snapshot. Whatever is wrong with an entry leaves it out.
 */
import type { Entry } from '../model/entry.ts'
import { elapsedBetween, readMachine } from '../tier/machine.ts'
import { openSnapshot, removeSnapshot, type SnapshotReading } from '../tier/snapshot-store.ts'
import { readEnvelope } from '../wire/envelope.ts'
import type { SnapshotHead, SnapshotRecord } from '../wire/snapshot-file.ts'
import { nextTurn } from './heat.ts'
import { decoderOf } from './preserve.ts'
import type { SharedLog } from './shared-log.ts'
import { isInSight, lastingLog, type SnapshotParts, storeTime, untilInSight } from './snapshot.ts'

/** Why nothing was read, or `read`. */
export type SnapshotOutcome = 'read' | 'none' | 'rules' | 'log' | 'unproven' | 'clock' | 'late'

/** What was read. */
export interface SnapshotLoaded {
  readonly outcome: SnapshotOutcome
  readonly entries: number
  /** Entries that were invalidated since, or are past their budget, or could not be read. */
  readonly left: number
  readonly ms: number
}

const SLICE = 32
/** Namespaces that a snapshot may declare. */
const MAX_NAMESPACES = 10_000

/** @throws (rejects) FC_SNAPSHOT_FILE, what the system says of the disk */
export async function loadSnapshot(parts: SnapshotParts, deadlineMs: number): Promise<SnapshotLoaded> {
  const { engine, file } = parts
  const { clock } = engine
  const startedAt = clock.now()
  const leftMs = (): number => startedAt + deadlineMs - clock.now()
  const count = { entries: 0, left: 0 }
  const tell = (outcome: SnapshotOutcome): SnapshotLoaded => ({ outcome, ...count, ms: Math.round(clock.now() - startedAt) })
  const opening = openSnapshot(file)
  const reading = await within(parts, opening, leftMs())
  if (reading === LATE) {
    void opening.then((late) => late?.close(), ignore)
    return tell('late')
  }
  if (reading === undefined) return tell('none')
  try {
    const ground = await groundOf(parts, reading.head, leftMs)
    if (typeof ground === 'string') return tell(ground)
    const isWhole = await takeAll(parts, { reading, ground, leftMs, count })
    return tell(isWhole ? 'read' : 'late')
  } finally {
    void reading.close().catch(ignore)
    // What no log proves is believed once: from here on this process changes what it says.
    if (lastingLog(engine) === undefined) await within(parts, removeSnapshot(file).catch(ignore), Math.max(1, leftMs()))
  }
}

/** On what entries are judged. */
interface Ground {
  readonly head: SnapshotHead
  readonly log: SharedLog | undefined
  /** `clock.now()` that the snapshot began at. */
  readonly writtenAt: number
  /** Namespaces that nobody had declared before. */
  readonly declared: Set<string>
}

async function groundOf(
  { engine, meaning, unproven }: SnapshotParts,
  head: SnapshotHead,
  leftMs: () => number,
): Promise<Ground | Exclude<SnapshotOutcome, 'read' | 'none' | 'late'>> {
  if (head.meaning !== meaning) return 'rules'
  const log = lastingLog(engine)
  if (log === undefined) {
    if (head.generation !== '' || unproven === 'drop' || (unproven === 'drained' && !head.drained)) return 'unproven'
  } else {
    if (head.generation === '' || !(await untilInSight(engine, log, () => leftMs() <= 0))) return 'log'
    if (log.generation !== head.generation) return 'log'
  }
  const now = engine.clock.now()
  const elapsedMs = elapsedBetween({ ...head, wallAt: head.writtenAt }, readMachine(await storeTime(engine)))
  return elapsedMs === undefined ? 'clock' : { head, log, writtenAt: now - elapsedMs, declared: new Set() }
}

/** @returns whether it came to the end in time */
async function takeAll(
  parts: SnapshotParts,
  how: {
    readonly reading: SnapshotReading
    readonly ground: Ground
    readonly count: { entries: number; left: number }
    leftMs(): number
  },
): Promise<boolean> {
  const { reading, ground, count, leftMs } = how
  const records = reading.records[Symbol.asyncIterator]()
  for (let seen = 1; ; seen += 1) {
    const next = await within(parts, records.next(), leftMs())
    if (next === LATE) return false
    if (next.done === true) return true
    if (takeOne(parts, ground, next.value)) count.entries += 1
    else count.left += 1
    if (seen % SLICE === 0) await nextTurn()
  }
}

/** @returns whether it stands in memory now */
function takeOne(
  parts: SnapshotParts,
  { head, log, writtenAt, declared }: Ground,
  { key, ageMs, envelope }: SnapshotRecord,
): boolean {
  const { engine, preservers } = parts
  const { fence, clock } = engine
  try {
    const { namespace: name, kind, tags, budget, codec, payload } = readEnvelope(envelope, key)
    const storedAt = writtenAt - ageMs
    if (clock.now() - storedAt >= budget.onErrorMs) return false
    const standing =
      log === undefined ? 'current' : isInSight(log) ? log.standing(head.asOf, { key, namespace: name, tags }) : 'dead'
    if (standing === 'dead') return false
    if (fence.knownNamespace(name) === undefined && declared.add(name).size > MAX_NAMESPACES) return false
    const namespace = fence.namespace(name)
    const decoded = decoderOf(preservers, key)(codec, payload, storedAt)
    if (decoded === undefined) return false
    const entry: Entry = { key, kind, tags, budget, storedAt, namespace, asOf: fence.horizon, ...decoded }
    return engine.restore(entry, standing === 'soft') === 'kept'
  } catch {
    return false // whatever was read there, it takes nobody down
  }
}

const LATE = Symbol('late')

function within<T>({ engine }: SnapshotParts, work: Promise<T>, ms: number): Promise<T | typeof LATE> {
  if (ms <= 0) {
    work.catch(ignore)
    return Promise.resolve(LATE)
  }
  return new Promise((resolve, reject) => {
    const timer = engine.clock.after(ms, () => resolve(LATE))
    work.then(resolve, reject).finally(() => timer.cancel())
  })
}

function ignore(): void {}
