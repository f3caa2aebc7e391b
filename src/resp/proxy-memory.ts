/**
 * The memory of the front as the other doors of its process read it.
 *
 * Floor 4, room resp. A reader like any other: he is shown nothing from memory that is older than what he was answered through the
 * front's own client, and waits for the next fence after each answer. What memory has yet to follow a peek does not tell.
 */
import type { LineFollower, LineMemory } from './line-values.ts'
import { parseReply } from './line.ts'
import { Reader } from './coherence-reader.ts'
import type { ProxyShared } from './proxy-shared.ts'
import { encodeCommand } from './tracking-commands.ts'

/** See the module's header. */
export class ProxyMemory implements LineMemory {
  readonly #shared: ProxyShared
  readonly #reader = new Reader()
  readonly #follower: LineFollower

  constructor(shared: ProxyShared) {
    this.#shared = shared
    const learned = (): void => void shared.coherence.learned(this.#reader)
    this.#follower = { replied: learned, failed: learned }
  }

  peek(key: string): Uint8Array | undefined {
    const { coherence, cache, ownUser } = this.#shared
    const now = this.#shared.now()
    const bytes = encodeCommand(['GET', key])
    const hit = cache.find(this.#shared.partition(`2 0 0 ${ownUser}`), { bytes, start: 0, end: bytes.length }, now)
    if (hit === undefined || !coherence.mayHit(this.#reader, now)) return undefined
    // The front's own client would not learn what a peek tells: it tells what memory has followed, and no news.
    if (coherence.served(this.#reader, hit.fence)) return undefined
    const reply = parseReply(hit.bytes.subarray(hit.start, hit.end) as Buffer)
    return Buffer.isBuffer(reply) ? reply : undefined
  }

  follow(): LineFollower {
    return this.#follower
  }
}
