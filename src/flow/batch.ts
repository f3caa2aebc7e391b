/**
 * Many keys, one load: the loads of single keys that begin in the same turn are gathered into one call.
 *
 * Floor 3, room flow. Each key keeps its own flight, fence and budget; only the question to the origin is shared.
 */
import { ForecacheError, textOf } from '../model/errors.ts'
import type { Load, LoadContext } from './loader.ts'

/** Answers of a batch: a Map, a plain object, or a list in the order of the keys. A key left out found nothing. */
export type Batch<T> = ReadonlyMap<string, T> | Readonly<Record<string, T>> | readonly T[]
/** Loads several keys at once. `signal` ends with the first key's overall deadline. */
export type LoadMany<T> = (keys: readonly string[], context: { readonly signal: AbortSignal }) => Batch<T> | Promise<Batch<T>>

interface Asking<T> {
  readonly key: string
  readonly signal: AbortSignal
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}

/** @param nameOf the user's name of a full key @returns a loader of single keys */
export function createBatch<T>(loadMany: LoadMany<T>, nameOf: (key: string) => string): Load<T> {
  let asking: Asking<T>[] = []
  const send = async (): Promise<void> => {
    const batch = asking
    asking = []
    const names = batch.map((one) => nameOf(one.key))
    try {
      const answers = await loadMany(names, { signal: (batch[0] as Asking<T>).signal })
      batch.forEach((one, index) => one.resolve(pick(answers, names[index] as string, { index, count: names.length })))
    } catch (error) {
      for (const one of batch) one.reject(error)
    }
  }
  return (context: LoadContext<T>) =>
    new Promise<T>((resolve, reject) => {
      if (asking.length === 0) queueMicrotask(() => void send())
      asking.push({ key: context.key, signal: context.signal, resolve, reject })
    })
}

function pick<T>(answers: Batch<T>, name: string, at: { index: number; count: number }): T {
  if (answers instanceof Map) return answers.get(name) as T
  if (Array.isArray(answers)) {
    if (answers.length !== at.count) {
      throw new ForecacheError('FC_OPTION_VALUE', {
        name: 'getMany',
        reason: `the loader answered ${answers.length} values for ${at.count} keys`,
      })
    }
    return answers[at.index] as T
  }
  if (typeof answers !== 'object' || answers === null) {
    throw new ForecacheError('FC_OPTION_TYPE', {
      name: 'getMany',
      expected: 'a Map, an object or a list from the loader',
      given: textOf(answers),
    })
  }
  return (Object.hasOwn(answers, name) ? (answers as Readonly<Record<string, T>>)[name] : undefined) as T
}
