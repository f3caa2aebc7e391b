/**
 * A door's own press, where nobody gives it one.
 *
 * Floor 4, room http.
 */
import { availableParallelism } from 'node:os'
import type { Engine } from '../flow/engine.ts'
import { ACCOUNT } from '../model/ledger.ts'
import { Press } from '../wire/press.ts'

const MIN_PRESS_BYTES = 4 * 1024 * 1024
const MAX_PRESS_BYTES = 32 * 1024 * 1024

/** Few threads, so that names and files find one; few bytes, for they are not among those of entries. */
export function createOwnPress({ memory, ledger, clock }: Engine): Press {
  return new Press({
    pace: { clock, share: 0.25, burstMs: 5000 },
    concurrency: Math.max(1, Math.min(2, availableParallelism() - 1)),
    maxBytes: Math.min(MAX_PRESS_BYTES, Math.max(MIN_PRESS_BYTES, memory.maxBytes / 8)),
    onCharge: (bytes) => ledger.charge(ACCOUNT.coding, bytes),
  })
}
