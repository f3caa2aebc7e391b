/**
 * All scenarios of the fault suite.
 */
import { CLOCK_FAULTS } from './clock-faults.ts'
import { INSTANCE_FAULTS } from './instance-faults.ts'
import { LEASE_FAULTS } from './lease-faults.ts'
import { NATS_FAULTS } from './nats-faults.ts'
import { NETWORK_FAULTS } from './network-faults.ts'
import type { Scenario } from './scenario.ts'
import { STORE_FAULTS } from './store-faults.ts'

/** See the module's header. */
export const SCENARIOS: readonly Scenario[] = [
  ...INSTANCE_FAULTS,
  ...LEASE_FAULTS,
  ...STORE_FAULTS,
  ...NATS_FAULTS,
  ...NETWORK_FAULTS,
  ...CLOCK_FAULTS,
]

/** @throws when there is none of that name */
export function scenarioOf(name: string): Scenario {
  const found = SCENARIOS.find((scenario) => scenario.name === name)
  if (found === undefined) throw new Error(`no scenario ${name}; known: ${SCENARIOS.map((one) => one.name).join(', ')}`)
  return found
}
