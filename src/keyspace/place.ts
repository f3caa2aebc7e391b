/**
 * Where a key stands.
 *
 * Floor 3, room keyspace.
 */

/** Where something happened. */
export interface KeyPlace {
  readonly database: number
  readonly key: string
}
