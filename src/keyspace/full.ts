/**
 * What is thrown where memory is full and nothing may be evicted.
 *
 * Floor 3, room keyspace. Thrown before anything has changed.
 */

/** See the module's header. */
export class KeyspaceFull extends Error {
  override readonly name = 'KeyspaceFull'
}
