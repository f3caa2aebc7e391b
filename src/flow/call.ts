/**
 * What one call asks for, resolved: budget, tags, deadlines, what to skip.
 *
 * Floor 3, room flow. Resolved only when a load is needed; a hit looks at nothing but the caller's budget, which is
 * memoized. Option objects are treated as constants: hoist them.
 */
import { type Budget, type BudgetInput, parseBudget } from '../model/budget.ts'
import { ForecacheError, textOf } from '../model/errors.ts'
import { type Duration, parseDuration } from '../model/units.ts'
import { ADAPTIVE_DEFAULTS, type AdaptiveSettings } from './adaptive-options.ts'
import { AHEAD_DEFAULTS, type AheadSettings } from './ahead-options.ts'
import { checkTag } from './invalidate.ts'
import type { Settings } from './options.ts'

/** Options of one call. */
export interface CallOptions {
  /** Windows of this answer; also the most this caller accepts of an entry stored by others. */
  readonly budget?: BudgetInput
  /** Name of a declared budget; metrics are labelled with it. */
  readonly context?: string
  readonly tags?: readonly string[]
  /** Go round the cache: `read` always loads and stores, `write` loads if need be but stores nothing, `both`. */
  readonly skip?: 'read' | 'write' | 'both'
  /** Budget of "nothing there" answers (null, undefined); false does not store them. */
  readonly negative?: BudgetInput | false
  readonly jitter?: number
  /** A known end time (a promotion ends), epoch ms or Date: no window of this answer reaches beyond it. */
  readonly end?: number | Date
  /** Version token of a write: nothing older is answered, on any instance. */
  readonly token?: string
  /** Where it may stand: `['memory']` keeps it out of the second level, for data that is hardly ever used twice. */
  readonly tiers?: readonly ('memory' | 'l2')[]
  /** Whether it is read again before it ends, while somebody is likely to ask for it; default: the cache's. */
  readonly refreshAhead?: boolean
  /** Whether it is warmed, where it is read much; default: the cache's. */
  readonly warming?: boolean
  /** Whether its fresh window is chosen by how often the answer really changes, up to the end of `stale`; default: the cache's. */
  readonly adaptive?: boolean
  /** Deadlines of this caller. */
  readonly soft?: Duration
  readonly hard?: Duration
  /** This caller gives up; the load goes on for others. */
  readonly signal?: AbortSignal
}

/** A call, resolved. */
export interface Call {
  readonly budget: Budget
  readonly tags: readonly string[]
  readonly skipRead: boolean
  readonly skipWrite: boolean
  readonly negative: Budget | undefined
  readonly jitter: number
  /** Epoch ms; Infinity when there is none. */
  readonly endAt: number
  readonly softMs: number | undefined
  readonly hardMs: number
  readonly signal: AbortSignal | undefined
  /** The second level is not for it. */
  readonly memoryOnly: boolean
  /** Undefined: it is not refreshed ahead. */
  readonly ahead: AheadSettings | undefined
  readonly isWarmed: boolean
  /** Undefined: its windows are kept to the letter. */
  readonly adaptive: AdaptiveSettings | undefined
}

const KNOWN: ReadonlySet<string> = new Set(
  'budget context tags skip negative jitter end tiers token refreshAhead warming adaptive soft hard signal'.split(' '),
)
const NO_TAGS: readonly string[] = []
const MEMO_LIMIT = 1000

/** Resolves calls against the settings. */
export class Calls {
  readonly #settings: Settings
  readonly #budgets = new Map<string | number, Budget>()
  readonly #objects = new WeakMap<object, Budget>()

  constructor(settings: Settings) {
    this.#settings = settings
  }

  /** The budget this caller names, or undefined: then the entry's own rules. @throws FC_OPTION_* */
  named(options: CallOptions | undefined): Budget | undefined {
    if (options === undefined) return undefined
    if (typeof options !== 'object' || options === null) throw wrongType('options', 'an object', options)
    if (options.budget !== undefined) return this.#budget(options.budget)
    if (options.context !== undefined) return this.#context(options.context)
    return undefined
  }

  /** @throws FC_OPTION_*, FC_TAG_TYPE */
  resolve(options: CallOptions = {}): Call {
    if (typeof options !== 'object' || options === null || Array.isArray(options))
      throw wrongType('options', 'an object', options)
    for (const name of Object.keys(options)) {
      if (!KNOWN.has(name)) throw new ForecacheError('FC_OPTION_UNKNOWN', { name, known: [...KNOWN].join(', ') })
    }
    const { skip, negative, signal, tags = NO_TAGS, jitter = this.#settings.jitter } = options
    if (skip !== undefined && skip !== 'read' && skip !== 'write' && skip !== 'both') {
      throw new ForecacheError('FC_OPTION_TYPE', { name: 'skip', expected: 'read, write or both', given: textOf(skip) })
    }
    if (typeof jitter !== 'number' || !(jitter >= 0 && jitter <= 0.5)) {
      throw new ForecacheError('FC_OPTION_RANGE', { name: 'jitter', given: textOf(jitter), min: 0, max: 0.5 })
    }
    if (!Array.isArray(tags)) throw wrongType('tags', 'a list', tags)
    if (signal !== undefined && !isSignal(signal)) throw wrongType('signal', 'an AbortSignal', signal)
    const { soft, hard } = this.#settings.deadlines
    return {
      budget: this.named(options) ?? this.#settings.budget,
      tags: tags.length === 0 ? NO_TAGS : tags.map(checkTag),
      skipRead: skip === 'read' || skip === 'both',
      skipWrite: skip === 'write' || skip === 'both',
      negative: this.#negative(negative),
      jitter,
      endAt: options.end === undefined ? Number.POSITIVE_INFINITY : parseEnd(options.end, 'end'),
      softMs: options.soft === undefined ? soft : parseDuration(options.soft, 'soft'),
      hardMs: options.hard === undefined ? hard : parseDuration(options.hard, 'hard'),
      signal,
      memoryOnly: this.#isMemoryOnly(options),
      ahead: this.#ahead(options),
      isWarmed: this.#isWarmed(options),
      adaptive: this.adaptiveOf(options),
    }
  }

  /** Undefined: this caller's windows are kept to the letter. @throws FC_OPTION_TYPE */
  adaptiveOf({ adaptive }: CallOptions = {}): AdaptiveSettings | undefined {
    if (adaptive === undefined) return this.#settings.adaptive
    if (typeof adaptive !== 'boolean') throw wrongType('adaptive', 'true or false', adaptive)
    return adaptive ? (this.#settings.adaptive ?? ADAPTIVE_DEFAULTS) : undefined
  }

  #isWarmed({ warming = this.#settings.warming !== undefined }: CallOptions): boolean {
    if (typeof warming !== 'boolean') throw wrongType('warming', 'true or false', warming)
    return warming
  }

  #ahead({ refreshAhead }: CallOptions): AheadSettings | undefined {
    if (refreshAhead === undefined) return this.#settings.refreshAhead
    if (typeof refreshAhead !== 'boolean') throw wrongType('refreshAhead', 'true or false', refreshAhead)
    return refreshAhead ? (this.#settings.refreshAhead ?? AHEAD_DEFAULTS) : undefined
  }

  #isMemoryOnly({ tiers, context }: CallOptions): boolean {
    if (tiers !== undefined) return parseTiers(tiers, 'tiers')
    return context !== undefined && this.#settings.l2?.except.includes(context) === true
  }

  #negative(given: BudgetInput | false | undefined): Budget | undefined {
    if (given === false) return undefined
    if (given !== undefined) return this.#budget(given)
    return this.#settings.negative === false ? undefined : this.#settings.negative
  }

  #context(name: string): Budget {
    if (typeof name !== 'string') throw wrongType('context', 'the name of a declared budget', name)
    const { contexts } = this.#settings
    const found = Object.hasOwn(contexts, name) ? contexts[name] : undefined
    if (found === undefined) {
      throw new ForecacheError('FC_OPTION_VALUE', {
        name: `context ${name}`,
        reason: `not declared; known: ${Object.keys(contexts).join(', ')}`,
      })
    }
    return found
  }

  #budget(given: BudgetInput): Budget {
    if (typeof given === 'object' && given !== null) {
      let budget = this.#objects.get(given)
      if (budget === undefined) this.#objects.set(given, (budget = parseBudget(given)))
      return budget
    }
    let budget = this.#budgets.get(given)
    if (budget === undefined) {
      budget = parseBudget(given)
      if (this.#budgets.size < MEMO_LIMIT) this.#budgets.set(given, budget)
    }
    return budget
  }
}

/** @returns whether memory alone is meant @throws FC_OPTION_TYPE */
function parseTiers(given: unknown, name: string): boolean {
  const isList = Array.isArray(given) && given.length > 0 && given.every((tier) => tier === 'memory' || tier === 'l2')
  if (!isList || !given.includes('memory')) {
    throw new ForecacheError('FC_OPTION_TYPE', { name, expected: "['memory'] or ['memory', 'l2']", given: textOf(given) })
  }
  return !given.includes('l2')
}

/** Of any realm: what is needed of it is what is looked at. */
function isSignal(given: unknown): given is AbortSignal {
  if (typeof given !== 'object' || given === null || typeof (given as AbortSignal).aborted !== 'boolean') return false
  return (
    typeof (given as AbortSignal).addEventListener === 'function' &&
    typeof (given as AbortSignal).removeEventListener === 'function'
  )
}

function wrongType(name: string, expected: string, given: unknown): ForecacheError {
  return new ForecacheError('FC_OPTION_TYPE', { name, expected, given: given === null ? 'null' : typeof given })
}

/** @returns epoch ms @throws FC_OPTION_TYPE */
export function parseEnd(given: number | Date, name: string): number {
  const ms = given instanceof Date ? given.getTime() : given
  if (typeof ms !== 'number' || Number.isNaN(ms))
    throw new ForecacheError('FC_OPTION_TYPE', { name, expected: 'epoch ms or a valid Date', given: textOf(given) })
  return ms
}

/** The narrower of two budgets, window by window: an entry's promise and its reader's. */
export function narrowBudget(a: Budget, b: Budget): Budget {
  return {
    freshMs: Math.min(a.freshMs, b.freshMs),
    staleMs: Math.min(a.staleMs, b.staleMs),
    onErrorMs: Math.min(a.onErrorMs, b.onErrorMs),
  }
}
