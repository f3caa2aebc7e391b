/**
 * Writing what memory holds to disk, the hottest first.
 *
 * Floor 3, room flow. In slices between which requests run. Nothing is written while the log is out of sight: then nobody
 * could say up to where it is current.
 */
import type { Entry } from '../model/entry.ts'
import { readMachine } from '../tier/machine.ts'
import { writeSnapshot } from '../tier/snapshot-store.ts'
import { writeEnvelope } from '../wire/envelope.ts'
import type { SnapshotHead, SnapshotRecord } from '../wire/snapshot-file.ts'
import { hottest, nextTurn } from './heat.ts'
import { encodeBy } from './preserve.ts'
import { isInSight, lastingLog, type SnapshotParts, storeTime } from './snapshot.ts'

/** What was written. */
export interface SnapshotSaved {
  readonly entries: number
  readonly bytes: number
  readonly ms: number
}

/** Entries between two turns of the event loop. */
const SLICE = 32

/**
 * @param drained nothing is served any more, and nothing is invalidated after it
 * @param deadlineMs what is not written by then is left out
 * @returns undefined where nothing could be proven, or something was invalidated meanwhile that had to be in it
 * @throws (rejects) what the system says of the disk; the former one stands then
 */
export async function saveSnapshot(
  parts: SnapshotParts,
  { drained, deadlineMs }: { readonly drained: boolean; readonly deadlineMs: number },
): Promise<SnapshotSaved | undefined> {
  const { engine, file, meaning } = parts
  const { clock, fence } = engine
  const log = lastingLog(engine)
  const storeAt = await storeTime(engine)
  if (log !== undefined && !isInSight(log)) return undefined
  const { wallAt, boot, uptimeMs } = readMachine()
  const startedAt = clock.now()
  const [generation, asOf, horizon] = [log?.generation ?? '', log?.applied ?? 0, fence.horizon]
  const head: SnapshotHead = { writtenAt: wallAt, boot, uptimeMs, meaning, generation, asOf, storeAt, drained }
  const isSound = (): boolean => {
    if (parts.meaning !== meaning) return false // what is read by now was made by other rules
    if (log !== undefined) return isInSight(log) && log.generation === generation
    return !drained || fence.horizon === horizon
  }
  const isOver = (): boolean => clock.now() - startedAt >= deadlineMs
  try {
    const { entries, bytes } = await writeSnapshot(file, head, recordsOf(parts, { startedAt, isOver, isSound }))
    return { entries, bytes, ms: Math.round(clock.now() - startedAt) }
  } catch (error) {
    if (error instanceof Unsound) return undefined
    throw error
  }
}

class Unsound extends Error {}

interface Course {
  readonly startedAt: number
  isOver(): boolean
  isSound(): boolean
}

async function* recordsOf(parts: SnapshotParts, course: Course): AsyncGenerator<SnapshotRecord> {
  const { engine, maxKeys } = parts
  let looked = 0
  for (const { key } of await hottest(engine.memory, maxKeys, course.isOver)) {
    looked += 1
    if (looked % SLICE === 0) {
      if (course.isOver()) break
      await nextTurn()
    }
    if (!course.isSound()) throw new Unsound()
    const entry = engine.memory.look(key)
    const envelope = entry === undefined ? undefined : envelopeOf(parts, entry)
    if (entry === undefined || envelope === undefined) continue
    yield { key, ageMs: Math.max(0, course.startedAt - entry.storedAt), envelope }
  }
  if (!course.isSound()) throw new Unsound()
}

function envelopeOf({ engine, preservers }: SnapshotParts, entry: Entry): Buffer | undefined {
  const { key, kind, tags, budget, storedAt } = entry
  if (kind === 'pass' || engine.clock.now() - storedAt >= budget.onErrorMs) return undefined
  const made = encodeBy(preservers, entry)
  if (made === undefined) return undefined
  return writeEnvelope({ key, kind, tags, budget, namespace: engine.fence.namespaceName(entry.namespace), ...made })
}
