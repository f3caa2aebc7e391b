/**
 * The contents that an api port is reading: bounded in all, so that many large writes at once wait their turn outside.
 *
 * Floor 5, room server. Every byte is charged when it comes and released when its request has been answered.
 */
import { ForecacheError } from '../model/errors.ts'
import { ACCOUNT, type Ledger } from '../model/ledger.ts'

/** Bytes of the contents of all requests under way. */
export const MAX_INTAKE_BYTES = 128 * 1024 * 1024

/** See the module's header. */
export class Intake {
  readonly #ledger: Ledger | undefined
  readonly #maxBytes: number
  #bytes = 0

  /** @param ledger where the bytes stand as well */
  constructor(ledger: Ledger | undefined, maxBytes = MAX_INTAKE_BYTES) {
    this.#ledger = ledger
    this.#maxBytes = maxBytes
  }

  /** Bytes held now. */
  get bytes(): number {
    return this.#bytes
  }

  /** @throws FC_GATEWAY_BUSY, and takes nothing */
  take(bytes: number): void {
    if (this.#bytes + bytes > this.#maxBytes)
      throw new ForecacheError('FC_GATEWAY_BUSY', { reason: `contents of ${this.#maxBytes} bytes are being read already` })
    this.#bytes += bytes
    this.#ledger?.charge(ACCOUNT.requests, bytes)
  }

  release(bytes: number): void {
    this.#bytes -= bytes
    this.#ledger?.release(ACCOUNT.requests, bytes)
  }
}
