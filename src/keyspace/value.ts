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

/**
 * How OBJECT ENCODING sees a string: by its bytes; as text though it may be a number (INCRBYFLOAT); as `raw` whatever its
 * length (it was changed in place).
 */
export type TextForm = 'plain' | 'text' | 'raw'

/** A string; made anew at every look, never changed. */
export interface TextValue {
  readonly kind: 'string'
  /** Bytes as latin1. */
  readonly text: string
  readonly form: TextForm
}

/** What is held beside the table and changed in place. */
export type Container = HashValue | ListValue | SetValue | ZsetValue

export type Value = TextValue | Container

const SHORT_BYTES = 44

/** OBJECT ENCODING. */
export function encodingOf(value: Value): string {
  if (value.kind !== 'string') return value.encoding
  if (value.form === 'raw') return 'raw'
  if (value.form === 'plain' && isInteger64(value.text)) return 'int'
  return value.text.length <= SHORT_BYTES ? 'embstr' : 'raw'
}
