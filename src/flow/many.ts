/**
 * Many keys in one call: those in memory at once, the rest by one call of the loader, or none of it where there is no loader.
 *
 * Floor 3, room flow.
 */
import { ForecacheError } from '../model/errors.ts'
import { type LoadMany, createBatch } from './batch.ts'
import type { Engine } from './engine.ts'
import type { Result } from './fetch.ts'
import type { Load } from './loader.ts'
import { Together } from './together.ts'

/** How a view answers for one key. */
export interface ManyParts<T> {
  /** The full name of a key. @throws FC_KEY_TYPE */
  full(key: string): string
  /** Characters before a key in its full name. */
  readonly skipChars: number
  fetch(full: string, how: { readonly load: Load<T>; readonly together: Together }): Promise<Result<T>>
}

/** @returns results by key, in the order asked @throws (rejects) FC_OPTION_TYPE, what the loader throws */
export async function fetchMany<T>(
  engine: Engine,
  keys: readonly string[],
  { parts, loadMany }: { readonly parts: ManyParts<T>; readonly loadMany: LoadMany<T> },
): Promise<Map<string, Result<T>>> {
  if (typeof loadMany !== 'function')
    throw new ForecacheError('FC_OPTION_TYPE', { name: 'loadMany', expected: 'a function', given: typeof loadMany })
  const load = createBatch<T>(loadMany, (key) => key.slice(parts.skipChars))
  const distinct = [...new Set(keys)]
  const full = distinct.map((key) => parts.full(key)) // all of them are good, or nothing is begun
  const together = new Together(engine)
  const settled = await Promise.allSettled(full.map((key) => parts.fetch(key, { load, together })))
  const results = new Map<string, Result<T>>()
  settled.forEach((one, index) => {
    if (one.status === 'rejected') throw one.reason
    results.set(distinct[index] as string, one.value)
  })
  return results
}

/** Those that stand, in the order asked. */
export async function getMany<T>(
  keys: readonly string[],
  get: (key: string) => Promise<Result<T> | undefined>,
): Promise<Map<string, Result<T>>> {
  const distinct = [...new Set(keys)]
  const results = await Promise.all(distinct.map(get))
  const found = new Map<string, Result<T>>()
  for (const [index, result] of results.entries()) if (result !== undefined) found.set(distinct[index] as string, result)
  return found
}
