/**
 * Codings of values that stand elsewhere, as the native cache API gives them.
 *
 * Floor 5, room server. Named by the ETag of the bytes: whoever reads a value looks at its bytes first, so that no coding can outlive what it
 * was made from. Made behind a write or a first reading, one at a time for each value, and never more than they may hold.
 */
import type { Content } from '../flow/content.ts'
import type { Encode } from '../flow/contents.ts'
import type { Engine } from '../flow/engine.ts'
import { ACCOUNT, type Ledger } from '../model/ledger.ts'

const MAX_BYTES = 8 * 1024 * 1024
/** Of memory's limit, so much at most. */
const SHARE = 1 / 32

/** See the module's header. */
export class MountForms {
  readonly #encode: Encode
  readonly #ledger: Ledger
  readonly #maxBytes: number
  /** Oldest first. */
  readonly #known = new Map<string, Content>()
  readonly #making = new Set<string>()
  #bytes = 0

  constructor(encode: Encode, { ledger, memory }: Pick<Engine, 'ledger' | 'memory'>) {
    this.#encode = encode
    this.#ledger = ledger
    this.#maxBytes = Math.min(MAX_BYTES, memory.maxBytes * SHARE)
  }

  /** The content with what codings there are; others are made for the next time. */
  of(content: Content): Content {
    const { etag } = content.identity
    const known = this.#known.get(etag)
    if (known === undefined) void this.#make(content)
    return known ?? content
  }

  async #make(content: Content): Promise<void> {
    const { etag } = content.identity
    if (content.bytes > this.#maxBytes / 8 || this.#making.has(etag)) return
    this.#making.add(etag)
    const codings = await this.#encode(content.body, content.type)
    this.#making.delete(etag)
    if (codings.size === 0) return
    const coded = content.withCodings(codings)
    this.#known.set(etag, coded)
    this.#bytes += coded.bytes
    this.#ledger.charge(ACCOUNT.coding, coded.bytes)
    for (const [oldest, { bytes }] of this.#known) {
      if (this.#bytes <= this.#maxBytes) break
      this.#known.delete(oldest)
      this.#bytes -= bytes
      this.#ledger.release(ACCOUNT.coding, bytes)
    }
  }
}
