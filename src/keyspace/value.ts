/**
 * What can stand under a key.
 *
 * Floor 3, room keyspace.
 */
import type { HashValue } from './hash-value.ts'
import { isInteger64 } from './integer.ts'
import type { ListValue } from './list-value.ts'
import type { SetValue } from './set-value.ts'
import type { ZsetValue } from './zset-value.ts'

/** A string; made anew at every look, never changed. */
export interface TextValue {
  readonly kind: 'string'
  /** Bytes as latin1. */
  readonly text: string
  /** It was made by changing another: encoded `raw` whatever its length. */
  readonly isRaw: boolean
}

/** What is held beside the table and changed in place. */
export type Container = HashValue | ListValue | SetValue | ZsetValue

export type Value = TextValue | Container

const SHORT_BYTES = 44

/** OBJECT ENCODING. */
export function encodingOf(value: Value): string {
  if (value.kind !== 'string') return value.encoding
  if (value.isRaw) return 'raw'
  if (isInteger64(value.text)) return 'int'
  return value.text.length <= SHORT_BYTES ? 'embstr' : 'raw'
}
