/**
 * What the clients of the Redis door hold in this process: requests that are not whole, replies that are not taken.
 *
 * Floor 5, room server. Summed four times a second, for the memory's books. Each client has limits of his own; when all together are
 * more than the process can bear, the one who holds most is cut off, one a look, as Redis does with `maxmemory-clients`.
 */
import type { Engine } from '../flow/engine.ts'
import type { Clock, Timer } from '../model/clock.ts'
import { ACCOUNT } from '../model/ledger.ts'
import type { RespBack } from './resp-back.ts'
import type { RespClient } from './resp-listener.ts'

/** What it works with. */
export interface HeldParts {
  readonly clients: ReadonlySet<RespClient>
  readonly clock: Clock
  /** Whether the process holds too much. */
  readonly isOver: () => boolean
  /** A client was cut off. */
  readonly onCut: () => void
}

const LOOK_MS = 250
/** A connection with its session and its sockets, about. */
const CLIENT_BYTES = 16 * 1024
/** Who holds no more is never cut off: it would help nobody. */
const SPARED_BYTES = 1024 * 1024

/** Has the books of a process show what its Redis door holds, clients included. */
export function followHeld(
  { clock, governor }: Engine,
  clients: ReadonlySet<RespClient>,
  back: Pick<RespBack, 'heldBytes' | 'overflowed'>,
): HeldByClients {
  const held = new HeldByClients({ clients, clock, isOver: () => governor.mood === 'over', onCut: () => back.overflowed() })
  governor.follow(ACCOUNT.resp, () => back.heldBytes + held.bytes)
  return held
}

/** See the module's header. */
export class HeldByClients {
  readonly #parts: HeldParts
  #timer: Timer | undefined
  #bytes = 0

  constructor(parts: HeldParts) {
    this.#parts = parts
    this.#arm()
  }

  /** As of the last look. */
  get bytes(): number {
    return this.#bytes
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #arm(): void {
    this.#timer = this.#parts.clock.after(LOOK_MS, () => {
      this.#look()
      this.#arm()
    })
  }

  #look(): void {
    const { clients, isOver, onCut } = this.#parts
    let bytes = clients.size * CLIENT_BYTES
    let most = SPARED_BYTES
    let heaviest: RespClient | undefined
    for (const client of clients) {
      const held = client.heldBytes
      bytes += held
      if (held > most) [most, heaviest] = [held, client]
    }
    this.#bytes = bytes
    if (heaviest === undefined || !isOver()) return
    onCut()
    heaviest.destroy()
  }
}
