/**
 * The steps of src/tier/remote.ts over plain values: one entry a key, its place and its time, replaced by what is newer.
 * test/contract/drift.test.ts compares every reply with that of the scripts in a real server.
 */

/** Two readings of one place in the log: the younger one by more than this stays, ms. */
const PLAY_MS = 100
/** A write that comes so much before it was sent finds a clock that was set back, ms. */
const GRAIN_MS = 2

/** What stands under a key. */
export interface Cell {
  readonly generation: string
  readonly asOf: number
  /** By the server's clock, ms. */
  readonly storedAt: number
  /** By the server's clock, ms. */
  readonly endsAt: number
  readonly version: number
  readonly tags: readonly string[]
}

/** What is to be written. */
export interface CellWrite {
  readonly generation: string
  readonly asOf: number
  readonly storedAt: number
  /** By the writer's clock, ms. */
  readonly ageMs: number
  readonly lifeMs: number
  readonly version: number
  readonly tags: readonly string[]
}

/** See the module's header. */
export class LeanCells {
  readonly cells = new Map<string, Cell>()
  /** For sabotage: whatever comes last stands. */
  isBlindWriter = false

  read(key: string, now: number): Cell | undefined {
    const cell = this.cells.get(key)
    return cell !== undefined && cell.endsAt > now ? cell : undefined
  }

  write(key: string, given: CellWrite, now: number): 'written' | 'older' | 'expired' | 'unsure' {
    const { generation, asOf, version, tags } = given
    if (now + GRAIN_MS < given.storedAt + given.ageMs) return 'unsure'
    const storedAt = Math.min(given.storedAt, now - given.ageMs)
    const leftMs = storedAt + given.lifeMs - now
    if (leftMs < 1) return 'expired'
    const former = this.read(key, now)
    if (!this.isBlindWriter && former !== undefined && former.generation === generation && former.storedAt <= now) {
      if (former.asOf > asOf) return 'older'
      if (former.asOf === asOf && former.storedAt > storedAt + PLAY_MS) return 'older'
    }
    this.cells.set(key, { generation, asOf, storedAt, endsAt: now + leftMs, version, tags })
    return 'written'
  }
}
