/**
 * Of many requests a share that is learned from: of some clients every request, of others none.
 *
 * Floor 3, room flow. What learning costs has a bound, however many hits there are: about so many requests a second. Whole
 * clients, since of half a client's requests nothing follows.
 */

/** Requests a second: a few hundredths of a core. */
const MAX_PER_SECOND = 4000
const SECOND_MS = 1000
/** Clients fall into so many groups. */
const GROUPS = 4096

/** See the module's header. */
export class PrefetchSample {
  #since = 0
  #seen = 0
  /** Groups below it are followed. */
  #groups = GROUPS

  /** Whether this client's requests are learned from now; counts one. @param client a digest */
  takes(client: string, nowMs: number): boolean {
    if (nowMs - this.#since >= SECOND_MS) this.#turn(nowMs)
    this.#seen += 1
    return this.#groups === GROUPS || groupOf(client) < this.#groups
  }

  #turn(nowMs: number): void {
    const perSecond = (this.#seen * SECOND_MS) / (nowMs - this.#since)
    this.#groups = perSecond <= MAX_PER_SECOND ? GROUPS : Math.max(1, Math.floor((GROUPS * MAX_PER_SECOND) / perSecond))
    this.#since = nowMs
    this.#seen = 0
  }
}

/** Of digests in base64url: two characters say 4096. */
function groupOf(client: string): number {
  return ((client.charCodeAt(0) * 64 + client.charCodeAt(1)) * 2654435761) % GROUPS
}
