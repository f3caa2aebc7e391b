/**
 * What is thrown where bytes are no value in Redis's form.
 *
 * Floor 3, room keyspace. Thrown before anything has changed.
 */

/** See the module's header. */
export class RdbFault extends Error {
  override readonly name = 'RdbFault'
}
