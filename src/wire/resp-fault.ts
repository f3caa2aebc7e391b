/**
 * What a server of the Redis protocol answers before it hangs up, byte for byte as Redis 7 words it.
 *
 * Floor 1, room wire. Pure. A fault ends the connection: its text is written behind the replies of everything before it.
 */

/** Longest line of a request that is no bulk: inline commands and counts, bytes. */
export const MAX_LINE_BYTES = 64 * 1024
/** Arguments of one request before the client has authenticated itself. */
export const UNTRUSTED_ARGUMENTS = 10
/** Bytes of one argument before the client has authenticated itself. */
export const UNTRUSTED_BULK_BYTES = 16 * 1024
/** As Redis: `ll > INT_MAX`. */
export const MAX_ARGUMENTS = 2 ** 31 - 1

const REASONS = {
  bigInline: 'too big inline request',
  quotes: 'unbalanced quotes in request',
  bigCount: 'too big mbulk count string',
  count: 'invalid multibulk length',
  untrustedCount: 'unauthenticated multibulk length',
  bigLength: 'too big bulk count string',
  length: 'invalid bulk length',
  untrustedLength: 'unauthenticated bulk length',
} as const

/** Why a request cannot be read; `tooMuch` is hung up on without a word. */
export type RequestFault = keyof typeof REASONS | 'expected' | 'tooMuch'

/**
 * @param got the byte that stood where `$` was expected
 * @returns the whole reply; empty where Redis only hangs up
 */
export function faultReply(fault: RequestFault, got = 0): string {
  if (fault === 'tooMuch') return ''
  const reason = fault === 'expected' ? `expected '$', got '${shown(got)}'` : REASONS[fault]
  return `-ERR Protocol error: ${reason}\r\n`
}

/** One byte as Redis puts it into an error: line ends would break the reply. To be written as latin1. */
function shown(byte: number): string {
  return byte === 0x0d || byte === 0x0a ? ' ' : String.fromCharCode(byte)
}
