/**
 * Bytes held outside of entries, by account: whoever holds some charges them here and releases them when they are gone.
 *
 * Floor 0, room model. Entries and ledger together stay under the limit of memory: the governor takes what stands here
 * from what entries may hold. Charging is two additions, without allocation. What is charged must be released, on every
 * way out.
 */

/** Every account and what is charged to it. */
export const ACCOUNT_ROWS = {
  fills: 'Bodies being collected for the store.',
  flights: 'Loads under way and the callers who wait for them.',
  streams: 'Answers on their way through, read from the origin and not yet taken by the client.',
  requests: "Content of clients' requests, read and not yet sent on.",
  connections: 'Connections of clients: their state and their buffers.',
  coding: 'Bodies waiting to be coded, and their codings.',
  lane: 'Answers made ready to be written at once.',
  ahead: 'Keys that are watched to be refreshed before they end, and what their readers taught.',
  prefetch: 'What clients ask for one after another, and what is fetched because of it.',
  warm: 'Keys that are read most, as they are asked for again.',
  remote: 'Answers that wait to be written to the second level.',
  log: 'What is remembered of the log that instances share.',
  resp: 'Replies of the Redis door, or its data where it has no upstream.',
  tables: 'Places kept for entries and not in use, and what the fence remembers.',
} as const satisfies Record<string, string>

export type AccountName = keyof typeof ACCOUNT_ROWS
/** Small integer of an account. */
export type Account = number

/** All names, in the order of their integers. */
export const ACCOUNT_NAMES = Object.keys(ACCOUNT_ROWS) as readonly AccountName[]

/** Small integer of each account. */
export const ACCOUNT = Object.freeze(Object.fromEntries(ACCOUNT_NAMES.map((name, index) => [name, index]))) as Readonly<
  Record<AccountName, Account>
>

/** A stored value beside which something was charged to `lane`: released when the value leaves memory. */
export interface HeldBeside {
  readonly besideBytes: number
}

/** What of the ledger goes with a value. */
export function bytesBeside(value: unknown): number {
  return typeof value === 'object' && value !== null && 'besideBytes' in value ? Number(value.besideBytes) || 0 : 0
}

/** See the module's header. */
export class Ledger {
  readonly #bytes = new Float64Array(ACCOUNT_NAMES.length)
  #total = 0

  /** Bytes of all accounts. */
  get total(): number {
    return this.#total
  }

  /** Adds to an account. @param bytes at least 0, finite */
  charge(account: Account, bytes: number): void {
    this.#bytes[account] = (this.#bytes[account] as number) + bytes
    this.#total += bytes
  }

  /** Takes from an account what was charged to it. */
  release(account: Account, bytes: number): void {
    this.#bytes[account] = (this.#bytes[account] as number) - bytes
    this.#total -= bytes
  }

  /** Gives an account another balance: for holders that know their own sum. */
  set(account: Account, bytes: number): void {
    this.#total += bytes - (this.#bytes[account] as number)
    this.#bytes[account] = bytes
  }

  /** Balance of an account. */
  of(account: Account): number {
    return this.#bytes[account] as number
  }

  /** Every account with its balance, for people. */
  list(): Readonly<Record<AccountName, number>> {
    return Object.fromEntries(ACCOUNT_NAMES.map((name, index) => [name, this.#bytes[index] as number])) as Record<
      AccountName,
      number
    >
  }
}
