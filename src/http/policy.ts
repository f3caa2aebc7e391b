/**
 * Route policies: which requests they are about, and what they change.
 *
 * Floor 4, room http. The same object in YAML and in the library. The schema is strict; everything in it does something.
 * A request that no policy matches, or whose path servers read differently, gets the default policy: RFC 9111 alone.
 */
import { z } from 'zod'
import { type KeyPolicy, compileKeyPolicy, KEY_POLICY } from '../key/policy.ts'
import { countedQuery } from '../key/query.ts'
import { createRoutes, patternParams } from '../key/route.ts'
import { parseTemplate, type Template } from '../key/template.ts'
import type { Budget } from '../model/budget.ts'
import { ForecacheError } from '../model/errors.ts'
import type { RequestHead } from '../model/exchange.ts'
import { budget, duration, optionError, size } from '../model/option.ts'
import { isCacheableMethod } from '../rules/unsafe.ts'
import { COMPRESS, type CompressInput, type Compression, parseCompression } from './compression.ts'
import { type Prediction, PREDICTION_ROWS, predictionOf } from './prediction.ts'

const MATCH = z.strictObject({
  path: z.string().startsWith('/').meta({ description: 'Pattern such as /api/products/:id or /static/*.' }),
  methods: z
    .array(z.string().regex(/^[A-Z][A-Z-]*$/))
    .min(1)
    .optional()
    .meta({ shown: 'GET, HEAD, QUERY', description: 'Methods.' }),
})

const LIMITS = z.strictObject({
  body: size().optional().meta({ unit: 'bytes', shown: '1MiB', description: 'Larger bodies stream through and are not stored.' }),
  content: size().optional().meta({
    unit: 'bytes',
    shown: '64KiB',
    description: 'Content of a QUERY that may be part of a key; a larger one is passed on.',
  }),
  pass: duration()
    .optional()
    .meta({ unit: 'ms', shown: '10s', description: 'How long a key is remembered as uncacheable (hit-for-miss).' }),
})

/** The schema of one route policy. */
export const ROUTE_POLICY = z.strictObject({
  name: z
    .string()
    .regex(/^[\w.:/-]{1,64}$/)
    .meta({ description: 'Name in metrics, headers and explain.' }),
  match: MATCH,
  budget: budget()
    .optional()
    .meta({ unit: 'ms', description: 'Freshness where the origin says nothing; an upper bound where it does.' }),
  context: z.string().min(1).optional().meta({ description: 'A budget by name, such as user:profile.' }),
  key: KEY_POLICY.optional().meta({ description: 'What the key is made of besides scheme, host and target.' }),
  tags: z
    .array(z.string().min(1))
    .max(64)
    .default([])
    .meta({ description: 'Tags of every stored response; {id} is a parameter of the path.' }),
  limits: LIMITS.prefault({}),
  strict: z.boolean().default(false).meta({ description: 'Never answered from the cache, never stored.' }),
  readYourWrites: z
    .union([z.boolean(), z.literal('cookie')])
    .default(false)
    .meta({
      description:
        'Answers to writes carry a version token in `forecache-token`; a request that bears it reads nothing older, on any instance: what it names is heard within `deadlines.token`, or the origin is asked. `cookie`: as a cookie of that name too.',
    }),
  blind: z.enum(['miss', 'fail']).optional().meta({
    shown: 'as l2.bus.blind',
    description:
      'While the log that instances share is out of sight: `miss` asks the origin, `fail` answers 503. Stricter than `l2.bus.blind`, never laxer.',
  }),
  staleWithSMaxage: z
    .boolean()
    .default(false)
    .meta({ description: 'Honour stale-while-revalidate and stale-if-error beside s-maxage.' }),
  ...PREDICTION_ROWS,
  warming: z.boolean().optional().meta({
    shown: 'whether `warming` is on',
    description:
      'Responses that are read most are asked for before anybody waits for them, as `warming` says. Those of requests with Authorization or Cookie are not.',
  }),
  compress: COMPRESS.optional().meta({
    description:
      'Other codings of stored responses, made when they are stored: `true`, `false`, or `{codings, minBytes, types}`; where it is not given, as for all routes.',
  }),
  tiers: z
    .array(z.enum(['memory', 'l2']))
    .min(1)
    .refine((tiers) => tiers.includes('memory'), { error: 'expected [memory] or [memory, l2]' })
    .optional()
    .meta({
      shown: '[memory, l2]',
      description: 'Where responses may stand; `[memory]` keeps those that are hardly ever used twice out of the second level.',
    }),
  finish: z
    .boolean()
    .default(true)
    .meta({ description: 'Finish a load, for the store, when every client that waited for it has gone.' }),
})

/** A list of route policies as users write it. */
export const ROUTES = z.array(ROUTE_POLICY).max(1000)
/** Route policies as users write them. */
export type RoutesInput = z.input<typeof ROUTES>

/** A resolved policy. */
export interface Policy extends Prediction {
  readonly name: string
  readonly budget: Budget | undefined
  readonly key: KeyPolicy | undefined
  readonly tags: readonly Template[]
  readonly maxBodyBytes: number
  readonly maxContentBytes: number
  readonly passMs: number
  readonly strict: boolean
  readonly readYourWrites: boolean | 'cookie'
  /** Beyond what the engine does while the shared log is out of sight. */
  readonly blind: 'miss' | 'fail' | undefined
  readonly staleWithSMaxage: boolean
  /** Undefined: responses stand as they came. */
  readonly compress: Compression | undefined
  readonly finish: boolean
  /** What is read most is asked for before anybody does. */
  readonly warming: boolean
  /** The second level is not for it. */
  readonly memoryOnly: boolean
}

/** Defaults of the limits. */
export const DEFAULT_LIMITS = { maxBodyBytes: 1024 * 1024, maxContentBytes: 64 * 1024, passMs: 10_000 }

/** What policies are resolved with. */
export interface PolicyParts extends Partial<Prediction> {
  /** The engine's budgets by name. */
  readonly contexts: Readonly<Record<string, Budget>>
  /** The door's defaults. */
  readonly limits: typeof DEFAULT_LIMITS
  /** For routes that say nothing of it; default: none. */
  readonly compress?: CompressInput
  /** For routes that say nothing of it; default: nothing is warmed. */
  readonly warming?: boolean
  /** Contexts that stay in memory alone; default: none. */
  readonly except?: readonly string[]
}

/** What matched a request. */
export interface Routed {
  readonly policy: Policy
  /** Small integer of the policy: its place in the list, plus one; 0 is the default. */
  readonly index: number
  readonly params: Readonly<Record<string, string>>
}

/** All policies of a door. */
export interface Policies {
  match(method: string, target: string): Routed
  /** In the order of `Routed.index`. */
  readonly all: readonly Policy[]
}

const NO_PARAMS: Readonly<Record<string, string>> = {}

/**
 * @param given the policies, already parsed from YAML or written in code
 * @throws FC_OPTION_* naming the first bad option
 */
export function resolvePolicies(given: unknown, parts: PolicyParts): Policies {
  const parsed = ROUTES.safeParse(given)
  if (!parsed.success) throw optionError(parsed.error.issues[0] as z.core.$ZodIssue, 'routes')
  const routes = createRoutes(parsed.data.map((route) => route.match))
  const names = new Set<string>(['default'])
  const all = [standard(parts)]
  for (const route of parsed.data) {
    if (names.has(route.name))
      throw new ForecacheError('FC_OPTION_VALUE', {
        name: `routes.${route.name}`,
        reason: 'the name stands twice, or is default',
      })
    names.add(route.name)
    all.push(resolve(route, parts))
  }
  const fallback: Routed = { policy: all[0] as Policy, index: 0, params: NO_PARAMS }
  if (all.length === 1) return { all, match: () => fallback }
  return {
    all,
    match(method, target) {
      const found = routes.match(method, target)
      return found === undefined
        ? fallback
        : { policy: all[found.index + 1] as Policy, index: found.index + 1, params: found.params }
    },
  }
}

/** The tags a policy gives to a response of this request. */
export function policyTags(routed: Routed): string[] {
  return routed.policy.tags.map((template) => template(routed.params))
}

/**
 * The request as the origin is to see it: without query parameters that are not part of the key, and with the language
 * and content coding that were chosen for it.
 */
export function askedHead(head: RequestHead, { key, strict }: Policy): RequestHead {
  if (key === undefined || strict) return head
  let { fields } = head
  for (const [field, dimension] of key.chosen) {
    const value = dimension.read(head)
    if (typeof value === 'string') fields = fields.clone().set(field, value)
  }
  return { ...head, target: isCacheableMethod(head.method) ? countedTarget(head.target, key) : head.target, fields }
}

function countedTarget(target: string, key: KeyPolicy): string {
  const question = target.indexOf('?')
  if (question < 0) return target
  const query = countedQuery(key.query, target.slice(question + 1))
  return query === '' ? target.slice(0, question) : `${target.slice(0, question)}?${query}`
}

function resolve(route: z.output<typeof ROUTE_POLICY>, parts: PolicyParts): Policy {
  const { contexts, limits, compress = false, except = [] } = parts
  const where = `routes.${route.name}`
  if (route.context !== undefined && !Object.hasOwn(contexts, route.context)) {
    throw new ForecacheError('FC_OPTION_UNKNOWN', {
      name: `${where}.context ${route.context}`,
      known: Object.keys(contexts).join(', '),
    })
  }
  if (route.context !== undefined && route.budget !== undefined) {
    throw new ForecacheError('FC_OPTION_VALUE', { name: where, reason: 'give budget or context, not both' })
  }
  const params = patternParams(route.match.path)
  return {
    name: route.name,
    budget: route.budget ?? (route.context === undefined ? undefined : contexts[route.context]),
    key: compileKeyPolicy(route.key ?? KEY_POLICY.parse({})), // a declared route has a canonical query, declared further or not
    tags: route.tags.map((text) => parseTemplate(text, params, `${where}.tags`)),
    maxBodyBytes: route.limits.body ?? limits.maxBodyBytes,
    maxContentBytes: route.limits.content ?? limits.maxContentBytes,
    passMs: route.limits.pass ?? limits.passMs,
    strict: route.strict,
    readYourWrites: route.readYourWrites,
    blind: route.blind,
    staleWithSMaxage: route.staleWithSMaxage,
    compress: parseCompression(route.compress ?? compress),
    finish: route.finish,
    ...predictionOf(route, parts),
    warming: route.warming ?? parts.warming ?? false,
    memoryOnly: route.tiers === undefined ? except.includes(route.context ?? '') : !route.tiers.includes('l2'),
  }
}

function standard({ limits, compress = false, refreshAhead, prefetch, warming = false, adaptive }: PolicyParts): Policy {
  return {
    name: 'default',
    budget: undefined,
    key: undefined,
    tags: [],
    ...limits,
    strict: false,
    readYourWrites: false,
    blind: undefined,
    staleWithSMaxage: false,
    compress: parseCompression(compress),
    finish: true,
    refreshAhead,
    prefetch,
    warming,
    adaptive,
    memoryOnly: false,
  }
}
