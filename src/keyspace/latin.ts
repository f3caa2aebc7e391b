/**
 * Bytes as text whose characters are bytes, from any kind of array, without a view of their own.
 *
 * Floor 3, room keyspace. Short texts are made by hand: the call costs more than they do.
 */

const SHORT = 12

interface Native {
  latin1Slice(this: Uint8Array, start: number, end: number): string
}

const { latin1Slice } = Buffer.prototype as unknown as Native

/** Bytes [start, end) as latin1. */
export function latinOf(bytes: Uint8Array, start: number, end: number): string {
  if (end - start > SHORT) return latin1Slice.call(bytes, start, end)
  let text = ''
  for (let i = start; i < end; i += 1) text += LETTERS[bytes[i] as number]
  return text
}

const LETTERS = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code))
