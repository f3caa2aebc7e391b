/**
 * What bodies being collected hold together, as the ledger has it, and what they may hold, as the governor says.
 *
 * Floor 4, room http. All doors of an engine share it.
 */
import type { Engine } from '../flow/engine.ts'
import { ACCOUNT } from '../model/ledger.ts'
import type { Holding } from './visit.ts'

/** @returns the holding of an engine's doors */
export function createHolding({ ledger, governor }: Engine): Holding {
  return {
    get bytes() {
      return ledger.of(ACCOUNT.fills)
    },
    get maxBytes() {
      return governor.fillBytes
    },
    hold: (bytes) => ledger.charge(ACCOUNT.fills, bytes),
    refuse: () => governor.refuseFill(),
  }
}
