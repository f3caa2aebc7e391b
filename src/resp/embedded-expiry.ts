/**
 * Reads what commands say of expiry: the options of SET and GETEX, and relative and absolute times.
 *
 * Floor 4, room resp. Times that do not fit into 64 bits are refused as Redis refuses them.
 */
import type { Call } from './embedded-call.ts'
import { REFUSED, wrongExpiry } from './embedded-errors.ts'
import { MOST_64, parseBigInteger, parseInteger } from './embedded-numbers.ts'

/** A time as it was given. */
export interface GivenExpiry {
  readonly given: string
  readonly isSeconds: boolean
  /** Since the epoch; else from now on. */
  readonly isAbsolute: boolean
}

/** Options of SET and GETEX. */
export interface SetOptions {
  readonly onlyNew: boolean
  readonly onlyOld: boolean
  /** SET answers with the former value. */
  readonly returns: boolean
  readonly keeps: boolean
  readonly persists: boolean
  readonly expiry: GivenExpiry | undefined
}

/** @returns epoch ms @throws where it is no integer, not positive, or too large */
export function deadlineOf(call: Call, { given, isSeconds, isAbsolute }: GivenExpiry): number {
  if (given.length <= SHORT) return shortDeadline(call, { given, isSeconds, isAbsolute })
  const number = parseBigInteger(given)
  if (number <= 0n || (isSeconds && number > MOST_64 / 1000n)) throw wrongExpiry(call.command.name)
  const ms = (isSeconds ? number * 1000n : number) + (isAbsolute ? 0n : BigInt(Math.floor(call.now)))
  if (ms > MOST_64) throw wrongExpiry(call.command.name)
  return Number(ms)
}

/** Digits of times that need no large integers. */
const SHORT = 11

function shortDeadline(call: Call, { given, isSeconds, isAbsolute }: GivenExpiry): number {
  const number = parseInteger(given)
  if (number <= 0) throw wrongExpiry(call.command.name)
  return (isSeconds ? number * 1000 : number) + (isAbsolute ? 0 : Math.floor(call.now))
}

const TIMES: Readonly<Record<string, { readonly isSeconds: boolean; readonly isAbsolute: boolean }>> = {
  ex: { isSeconds: true, isAbsolute: false },
  px: { isSeconds: false, isAbsolute: false },
  exat: { isSeconds: true, isAbsolute: true },
  pxat: { isSeconds: false, isAbsolute: true },
}

/** @throws syntax error */
export function readOptions(call: Call, kind: 'get' | 'set'): SetOptions {
  let [onlyNew, onlyOld, returns, keeps, persists] = [false, false, false, false, false]
  let expiry: GivenExpiry | undefined
  let unit = ''
  for (let i = kind === 'set' ? 3 : 2; i < call.count; i += 1) {
    const word = call.arg(i).toLowerCase()
    const time = TIMES[word]
    if (kind === 'set' && word === 'nx' && !onlyOld) onlyNew = true
    else if (kind === 'set' && word === 'xx' && !onlyNew) onlyOld = true
    else if (kind === 'set' && word === 'get') returns = true
    else if (kind === 'set' && word === 'keepttl' && !persists && unit === '') keeps = true
    else if (kind === 'get' && word === 'persist' && !keeps && unit === '') persists = true
    else if (time !== undefined && !keeps && !persists && (unit === '' || unit === word) && i + 1 < call.count) {
      unit = word
      i += 1
      expiry = { given: call.arg(i), ...time }
    } else throw REFUSED.syntax
  }
  return { onlyNew, onlyOld, returns, keeps, persists, expiry }
}
