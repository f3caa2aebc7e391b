/**
 * The option `compress`: whether, and in which codings, stored responses stand ready.
 *
 * Floor 4, room http. One shape for gateway, routes and middleware.
 */
import { z } from 'zod'
import { parseOptions, size } from '../model/option.ts'
import { type Coding, CODINGS } from '../wire/coding.ts'
import { MIN_BYTES } from '../wire/pays.ts'

const SHAPES = 'expected true, false or {codings, minBytes, types}'

/** The schema of `compress`. */
export const COMPRESS = z.union(
  [
    z.boolean(),
    z.strictObject({
      codings: z
        .array(z.enum(['br', 'gzip', 'zstd']))
        .min(1)
        .optional(),
      minBytes: size().optional(),
      types: z
        .array(
          z
            .string()
            .regex(/^[a-z0-9!#$&^_.+-]+\/(?:\*|[a-z0-9!#$&^_.+-]+)$/, { error: 'expected a type such as model/stl or model/*' }),
        )
        .max(100)
        .optional(),
    }),
  ],
  {
    error: ({ errors }) =>
      (errors as z.core.$ZodIssue[][] | undefined)
        ?.flat()
        .map(textOf)
        .find((text) => text !== '') ?? SHAPES,
  },
)

function textOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `${SHAPES}; ${issue.keys[0]} is not known here`
  return issue.path.length === 0 ? '' : `${SHAPES}; ${issue.path.join('.')}: ${issue.message}`
}

/** `compress` as users write it. */
export type CompressInput = z.input<typeof COMPRESS>

/** Resolved. */
export interface Compression {
  readonly codings: readonly Coding[]
  readonly minBytes: number
  readonly types: readonly string[]
  /** Tells bodies made under other settings apart. */
  readonly id: string
}

/** @returns undefined when it is turned off @throws FC_OPTION_* */
export function parseCompression(given: CompressInput): Compression | undefined {
  const parsed = parseOptions(COMPRESS, given, 'compress')
  if (parsed === false) return undefined
  const { codings, minBytes = MIN_BYTES, types = [] } = parsed === true ? {} : parsed
  const known = CODINGS.filter((coding) => codings === undefined || codings.includes(coding))
  const lower = types.map((type) => type.toLowerCase())
  return { codings: known, minBytes, types: lower, id: `${known.join()}:${minBytes}:${lower.join()}` }
}
