/**
 * What a loader is given, and what it said while it ran.
 *
 * Floor 3, room flow. A loader may adapt its own answer's options: budget, end time, tags, validator; say that nothing
 * changed (the 304 of the library), that the answer must not be stored, or that it failed though it has an answer.
 */
import { type Budget, type BudgetInput, parseBudget } from '../model/budget.ts'
import { ForecacheError } from '../model/errors.ts'
import { parseEnd } from './call.ts'
import { checkTag } from './invalidate.ts'

/** The answer that stands, handed to a loader so that it can ask conditionally. */
export interface Previous<T> {
  readonly data: T
  /** What the loader named by `etag()` when it loaded this. */
  readonly etag: string | undefined
  readonly ageMs: number
}

/** The loader's side of a load. */
export interface LoadContext<T = unknown> {
  readonly key: string
  /** Aborted at the overall deadline, or when every caller has gone and the cache is told to cancel. */
  readonly signal: AbortSignal
  /** The audit asks: what is answered is compared and not stored. */
  readonly audit: boolean
  /** The former answer, whatever its age, if it has not been invalidated. */
  readonly previous: Previous<T> | undefined
  /** Replaces the budget of this answer. */
  setBudget(budget: BudgetInput): void
  /** A known end time (epoch ms or Date): no window reaches beyond it. */
  setEnd(at: number | Date): void
  /** Adds tags learned while loading. */
  tag(...tags: readonly string[]): void
  /** Names the answer's validator, handed back as `previous.etag`. */
  etag(value: string): void
  /** The answer is given to those who wait and not stored. */
  skip(): void
  /** The origin has failed: whoever may be served stale is; else the error is thrown. */
  fail(reason: unknown): never
  /** Nothing changed since `previous`: return this; its data is renewed as of now. */
  notModified(): T
}

/** Loads one key. */
export type Load<T> = (context: LoadContext<T>) => T | Promise<T>

/** Returned by a loader that found nothing changed. */
export const NOT_MODIFIED = Symbol('not modified')

/** What a loader said beside its answer. */
export class Said<T> implements LoadContext<T> {
  readonly key: string
  readonly signal: AbortSignal
  readonly audit: boolean
  readonly previous: Previous<T> | undefined
  /** What was said last, or the caller's. */
  budget: Budget
  /** Epoch ms. */
  endAt = Number.POSITIVE_INFINITY
  learned: string[] = []
  validator: string | undefined
  skipped = false

  constructor(given: {
    readonly key: string
    readonly signal: AbortSignal
    readonly previous: Previous<T> | undefined
    readonly budget: Budget
    readonly audit?: boolean
  }) {
    this.key = given.key
    this.signal = given.signal
    this.audit = given.audit ?? false
    this.previous = given.previous
    this.budget = given.budget
  }

  // Fields and not methods, because loaders take them apart: `({ tag, setBudget }) => …`.
  readonly setBudget = (budget: BudgetInput): void => {
    this.budget = parseBudget(budget)
  }

  readonly setEnd = (at: number | Date): void => {
    this.endAt = Math.min(this.endAt, parseEnd(at, 'setEnd'))
  }

  readonly tag = (...tags: readonly string[]): void => {
    for (const tag of tags) this.learned.push(checkTag(tag))
  }

  readonly etag = (value: string): void => {
    this.validator = value
  }

  readonly skip = (): void => {
    this.skipped = true
  }

  readonly fail = (reason: unknown): never => {
    throw reason instanceof Error ? reason : new ForecacheError('FC_LOAD_FAILED', { key: this.key }, { cause: reason })
  }

  readonly notModified = (): T => {
    if (this.previous === undefined)
      throw new ForecacheError('FC_OPTION_VALUE', { name: 'notModified', reason: 'there is no previous answer to renew' })
    return NOT_MODIFIED as T
  }
}
