/**
 * Options: one zod schema each, the only place where type, unit, default, range and text are written; checked once, at creation.
 *
 * Floor 0, room model. Schemas are strict objects: unknown names are refused. Zod's issues become ForecacheErrors with a
 * stable code and the option's full path.
 */
import { z } from 'zod'
import { type BudgetInput, parseBudget } from './budget.ts'
import { ForecacheError, textOf } from './errors.ts'
import { parseDuration, parseSize } from './units.ts'

/** Text and unit of an option, kept in the schema for the reference page. */
export interface OptionMeta {
  readonly description: string
  readonly unit?: string
  /** Default as people write it. */
  readonly shown?: string
}

const DURATION_TEXT = 'a duration such as 250ms, 30s, 2m, 1h or milliseconds'
const SIZE_TEXT = 'a size such as 64KiB, 256MiB or bytes'

/** A duration option; resolves to ms. */
export function duration(): z.ZodType<number, number | string> {
  return z
    .union([z.number(), z.string()], { error: `expected ${DURATION_TEXT}` })
    .transform(attempt((given) => parseDuration(given)))
}

/** A size option; resolves to bytes. */
export function size(): z.ZodType<number, number | string> {
  return z.union([z.number(), z.string()], { error: `expected ${SIZE_TEXT}` }).transform(attempt((given) => parseSize(given)))
}

/** A staleness budget option; resolves to Budget. */
export function budget(): z.ZodType<ReturnType<typeof parseBudget>, BudgetInput> {
  return z
    .custom<BudgetInput>((given) => ['number', 'string', 'object'].includes(typeof given) && given !== null, {
      error: 'expected a duration or {fresh, stale, onError}',
    })
    .transform(attempt((given) => parseBudget(given)))
}

/**
 * @param where the options' name in errors, such as `memory`
 * @throws FC_OPTION_UNKNOWN, FC_OPTION_TYPE, FC_OPTION_RANGE, FC_OPTION_VALUE for the first issue
 */
export function parseOptions<S extends z.ZodType>(schema: S, given: unknown, where: string): z.output<S> {
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  throw optionError(parsed.error.issues[0] as z.core.$ZodIssue, where)
}

/** One zod issue as a ForecacheError. */
export function optionError(issue: z.core.$ZodIssue, where: string): ForecacheError {
  const name = [where, ...issue.path.map(String)].filter((part) => part !== '').join('.')
  switch (issue.code) {
    case 'unrecognized_keys':
      return new ForecacheError('FC_OPTION_UNKNOWN', { name: `${name}.${issue.keys[0]}`, known: 'see the reference of options' })
    case 'too_small':
      return new ForecacheError('FC_OPTION_RANGE', { name, given: shown(issue.input), min: String(issue.minimum), max: '…' })
    case 'too_big':
      return new ForecacheError('FC_OPTION_RANGE', { name, given: shown(issue.input), min: '…', max: String(issue.maximum) })
    case 'custom':
      return new ForecacheError('FC_OPTION_VALUE', { name, reason: issue.message })
    default:
      return new ForecacheError('FC_OPTION_TYPE', { name, expected: issue.message, given: shown(issue.input) })
  }
}

function attempt<I, O>(parse: (given: I) => O): (given: I, context: z.core.$RefinementCtx) => O {
  return (given, context) => {
    try {
      return parse(given)
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error), input: given })
      return z.NEVER
    }
  }
}

function shown(given: unknown): string {
  if (given === undefined) return 'something else'
  return typeof given === 'string' ? JSON.stringify(given) : textOf(given)
}
