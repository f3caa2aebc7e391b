/**
 * What the embedded mode answers when it refuses: Redis 7.0's own texts.
 *
 * Floor 4, room resp. A refusal is thrown by a command and written as an error reply; the frequent ones are made once and
 * carry no stack.
 */

/** A refused command. The text is the reply without '-' and line end. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
}

function fixed(text: string): Refusal {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  const refusal = new Refusal(text)
  Error.stackTraceLimit = limit
  return refusal
}

/** The frequent ones. */
export const REFUSED = {
  wrongType: fixed('WRONGTYPE Operation against a key holding the wrong kind of value'),
  syntax: fixed('ERR syntax error'),
  notInteger: fixed('ERR value is not an integer or out of range'),
  notFloat: fixed('ERR value is not a valid float'),
  notPositive: fixed('ERR value is out of range, must be positive'),
  outOfRange: fixed('ERR value is out of range'),
  indexRange: fixed('ERR index out of range'),
  noKey: fixed('ERR no such key'),
  sameObject: fixed('ERR source and destination objects are the same'),
  notNumberResult: fixed('ERR increment would produce NaN or Infinity'),
  overflow: fixed('ERR increment or decrement would overflow'),
  tooLong: fixed('ERR string exceeds maximum allowed size (proto-max-bulk-len)'),
  minMaxFloat: fixed('ERR min or max is not a float'),
  minMaxText: fixed('ERR min or max not valid string range item'),
  noMemory: fixed("OOM command not allowed when used memory > 'maxmemory'."),
  noAuth: fixed('NOAUTH Authentication required.'),
  execAbort: fixed('EXECABORT Transaction discarded because of previous errors.'),
  noScript: fixed('NOSCRIPT No matching script. Please use EVAL.'),
  busyKey: fixed('BUSYKEY Target key name already exists.'),
  cursor: fixed('ERR invalid cursor'),
  timeoutFloat: fixed('ERR timeout is not a float or out of range'),
  timeoutNegative: fixed('ERR timeout is negative'),
  timeoutRange: fixed('ERR timeout is out of range'),
} as const

/** A text as C prints it: up to its first zero byte. */
export function untilZero(text: string): string {
  const end = text.indexOf('\0')
  return end < 0 ? text : text.slice(0, end)
}

/** `ERR` and a text of its own. */
export function refuse(text: string): Refusal {
  return fixed(`ERR ${text}`)
}

/** With another first word. */
export function refuseAs(text: string): Refusal {
  return fixed(text)
}

/** @param name of the command, a subcommand joined by '|' */
export function wrongCount(name: string): Refusal {
  return fixed(`ERR wrong number of arguments for '${name}' command`)
}

/** @param name of the command in lower case */
export function wrongExpiry(name: string): Refusal {
  return fixed(`ERR invalid expire time in '${name}' command`)
}

/** @param name of the container in upper case */
export function wrongSubcommand(given: string, name: string): Refusal {
  return fixed(`ERR unknown subcommand or wrong number of arguments for '${given}'. Try ${name} HELP.`)
}
