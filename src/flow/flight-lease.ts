/**
 * Flights across processes: the leader of a flight asks whether another process loads the same key already.
 *
 * Floor 3, room flow. Who holds the lease loads, has the second level written and lets go of the lease with a message; who
 * waits looks there then. A lease saves loads and decides nothing: what comes over is judged by the shared log like anything
 * else, and a holder whose reading is invalidated is not waited for. Without the shared log, or when the store is away,
 * everybody loads for himself. Costs a miss one round trip, a hit nothing.
 */
import { hash } from 'node:crypto'
import type { Position } from '../model/entry.ts'
import type { Standing } from '../model/log.ts'
import type { Fence } from '../tier/fence.ts'
import type { Lease } from '../tier/lease.ts'
import type { LeaseFrame, LeaseOutcome } from '../tier/lease-store.ts'
import type { LeasePlace, Leases } from '../tier/leases.ts'
import type { Seal } from '../wire/seal.ts'
import type { Fill } from './fill.ts'
import type { RemoteReading, SecondLevel } from './second-level.ts'
import type { SharedLog } from './shared-log.ts'

/** What it works with. */
export interface FlightLeaseParts {
  readonly leases: Leases
  readonly second: SecondLevel
  readonly fence: Fence
  readonly seal: Seal | undefined
  shared(): SharedLog | undefined
}

/** See the module's header. */
export class FlightLeases {
  readonly #parts: FlightLeaseParts

  constructor(parts: FlightLeaseParts) {
    this.#parts = parts
  }

  /** Leases held and waited for now. */
  get counts(): { readonly held: number; readonly waiting: number } {
    const { held, waiting } = this.#parts.leases
    return { held, waiting }
  }

  /**
   * Never rejects; takes at most the lease's deadline, twice where it goes over another.
   *
   * @param fills readings that begin together: one lease for all of them, by the names of all
   */
  async enter(fills: readonly Fill[]): Promise<LeasePlace> {
    const { leases, second } = this.#parts
    const stamps = fills.flatMap(({ shared }) => shared ?? [])
    const generation = stamps[0]?.generation
    if (stamps.length < fills.length || stamps.some((stamp) => stamp.generation !== generation)) return { role: 'alone' }
    if (generation === undefined || !second.isUp || second.isSilent) return leases.forgo()
    return leases.ask({
      name: this.#nameOf(fills),
      stamp: `${generation}.${stamps.reduce((least, { asOf }) => Math.min(least, asOf), Number.POSITIVE_INFINITY)}`,
      isDead: (stamp) => fills.some((fill) => this.#isDead(fill, stamp)),
    })
  }

  /** Lets go of a lease when the second level has what was stored under the keys. Never throws, never waits. */
  release(lease: Lease, keys: readonly string[], outcome: LeaseOutcome): void {
    void Promise.all(keys.map((key) => this.#parts.second.settled(key))).then(() => lease.release(outcome))
  }

  /** How what another process reads stands now. */
  standing(reading: RemoteReading): Standing {
    return this.#parts.second.standing(reading)
  }

  /** A frame as it goes out: closed where entries are. */
  close(lease: { readonly name: string }, { kind, data }: LeaseFrame): LeaseFrame {
    const { seal } = this.#parts
    return seal === undefined ? { kind, data } : { kind, data: Buffer.concat(seal.close(data, Buffer.from(lease.name))) }
  }

  /** @throws FC_L2_ENVELOPE */
  open(lease: { readonly name: string }, { kind, data }: LeaseFrame): LeaseFrame {
    const { seal } = this.#parts
    return seal === undefined ? { kind, data } : { kind, data: seal.open(data, Buffer.from(lease.name)) }
  }

  end(): void {
    this.#parts.leases.close()
  }

  #nameOf(fills: readonly Fill[]): string {
    const names = fills.map(({ key, namespace }) => `${this.#parts.fence.namespaceName(namespace)}\0${key}`)
    return hash('sha256', names.length === 1 ? (names[0] as string) : JSON.stringify(names.toSorted()), 'base64url')
  }

  #isDead({ key, namespace, tags, shared }: Fill, stamp: string): boolean {
    const [generation, asOf] = parseStamp(stamp)
    if (shared?.generation !== generation) return true
    const name = this.#parts.fence.namespaceName(namespace)
    return this.#parts.shared()?.standing(asOf, { key, namespace: name, tags }) !== 'current'
  }
}

function parseStamp(stamp: string): readonly [generation: string, asOf: Position] {
  const at = stamp.lastIndexOf('.')
  return [stamp.slice(0, at), Number(stamp.slice(at + 1))]
}
