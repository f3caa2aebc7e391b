/**
 * What is remembered of hot keys, as bytes for a file and back.
 *
 * Floor 3, room flow. Only keys that a door knows how to ask for again by words. What is read was written by another process:
 * nothing of it is believed, sizes are bounded, and whatever is wrong leaves out the key or all. Nothing here can make an
 * answer older: it only says what to ask for.
 */
import { deflateSync, inflateSync } from 'node:zlib'
import type { HotBook } from './warm-book.ts'
import { RHYTHM_WORDS } from './warm-rhythm.ts'

/** A key as it was kept. */
export interface SavedKey {
  readonly key: string
  readonly ask: string
  readonly route: string
  /** Reads, faded to the moment of writing. */
  readonly heat: number
  readonly recent: number
  readonly ageMs: number
  readonly freshMs: number
  /** Hours of that day in which it was read, a bit each. */
  readonly today: number
  readonly rhythm: readonly number[]
}

/** All that was kept. */
export interface SavedWarmth {
  /** Wall clock when it was written, epoch ms. */
  readonly at: number
  readonly day: number
  readonly watched: number
  readonly keys: readonly SavedKey[]
}

const VERSION = 1
/** More is not unpacked. */
const MAX_PLAIN_BYTES = 64 * 1024 * 1024
const MAX_TEXT_CHARS = 32_768
const MAX_HOURS = 0xffffff

/** @param nameOf name of a route */
export function packWarmth(
  book: HotBook,
  { now, wallMs, maxKeys, nameOf }: { now: number; wallMs: number; maxKeys: number; nameOf(route: number): string },
): Buffer {
  const keys: unknown[] = []
  for (const hot of book.hottest(now)) {
    if (keys.length >= maxKeys) break
    if (typeof hot.ask !== 'string') continue
    const fade = hot.heat === 0 ? 1 : book.heatOf(hot, now) / hot.heat
    const recent = hot.recent * 2 ** (-Math.max(0, now - hot.heatAtMs) / 600_000)
    const words = [...hot.rhythm.words].map(round)
    const rhythm = words.every((one) => one === 0) ? [] : words
    const numbers = [round(hot.heat * fade), round(recent), Math.max(0, Math.round(now - hot.bornAtMs)), hot.freshMs]
    keys.push([hot.key, hot.ask, nameOf(hot.route), ...numbers, hot.rhythm.today, rhythm])
  }
  const { day, watched } = book.today
  return deflateSync(JSON.stringify([VERSION, wallMs, day, watched, keys]))
}

/** @returns undefined for what was not written by `packWarmth`, or was changed since */
export function unpackWarmth(packed: Uint8Array, maxKeys: number): SavedWarmth | undefined {
  try {
    const plain: unknown = JSON.parse(inflateSync(packed, { maxOutputLength: MAX_PLAIN_BYTES }).toString())
    if (!Array.isArray(plain)) return undefined
    const [version, at, day, watched, keys] = plain as unknown[]
    if (version !== VERSION || !isCount(at) || !Number.isInteger(day) || !isMask(watched) || !Array.isArray(keys))
      return undefined
    return { at, day: day as number, watched, keys: keys.slice(0, maxKeys).flatMap(readKey) }
  } catch {
    return undefined
  }
}

function readKey(row: unknown): SavedKey[] {
  if (!Array.isArray(row)) return []
  const [key, ask, route, heat, recent, ageMs, freshMs, today, rhythm] = row as unknown[]
  if (!isText(key) || !isText(ask) || typeof route !== 'string' || !isMask(today)) return []
  if (!isCount(heat) || !isCount(recent) || !isCount(ageMs) || !isCount(freshMs) || !Array.isArray(rhythm)) return []
  if ((rhythm.length !== 0 && rhythm.length !== RHYTHM_WORDS) || !rhythm.every(isCount)) return []
  return [{ key, ask, route, heat, recent, ageMs, freshMs, today, rhythm }]
}

function isText(given: unknown): given is string {
  return typeof given === 'string' && given.length > 0 && given.length <= MAX_TEXT_CHARS
}

function isCount(given: unknown): given is number {
  return typeof given === 'number' && given >= 0 && given <= Number.MAX_SAFE_INTEGER
}

function isMask(given: unknown): given is number {
  return Number.isInteger(given) && (given as number) >= 0 && (given as number) <= MAX_HOURS
}

function round(value: number): number {
  return Number(value.toPrecision(4))
}
