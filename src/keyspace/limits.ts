/**
 * Where a container leaves its small form: what OBJECT ENCODING tells, and the order in which elements are listed.
 *
 * Floor 3, room keyspace. The names and the defaults are Redis 7.0's; a small hash lists its fields in the order of their
 * insertion and a small set of integers lists them by size, as Redis does.
 */

/** Changed by CONFIG SET; containers read it when they grow. */
export interface PackingLimits {
  hashEntries: number
  hashValueBytes: number
  zsetEntries: number
  zsetValueBytes: number
  setIntegers: number
}

export function defaultPacking(): PackingLimits {
  return { hashEntries: 512, hashValueBytes: 64, zsetEntries: 128, zsetValueBytes: 64, setIntegers: 512 }
}

/** Bytes that one element of a container is charged beside its own. */
export const ELEMENT_BYTES = 56
/** Bytes that an empty container is charged. */
export const CONTAINER_BYTES = 120
