/**
 * Key policies: what a route declares about its key, checked once and compiled.
 *
 * Floor 1, room key. `KEY_POLICY` is the schema, used as it is by YAML route policies and by the library; unknown names
 * are refused. Without any policy a key is the exact target (see key/key.ts).
 */
import { z } from 'zod'
import type { RequestHead } from '../model/exchange.ts'
import type { Fields } from '../model/fields.ts'
import { parseOptions } from '../model/option.ts'
import {
  cookieDimension,
  customDimension,
  type Dimension,
  encodingDimension,
  flagDimension,
  headerDimension,
  localeDimension,
  tierDimension,
} from './dimension.ts'
import { codingName } from './encoding.ts'
import { isLanguage } from './locale.ts'
import { type QueryRules, rootOf } from './query.ts'
import { createNameMatch, TRACKING_PARAMETERS } from './tracking.ts'

type Tell = (head: RequestHead) => string | undefined

const tell = z.custom<Tell>((given) => typeof given === 'function', { error: 'expected a function of the request head' })
const names = z.array(z.string().min(1))
const token = z.string().regex(/^[A-Za-z0-9_.!#$&'*+^`|~-]+$/, { error: 'expected a field or cookie name' })

const SOURCE = {
  header: token.optional().meta({ description: 'request field that holds the value; clients must not be able to set it' }),
  cookie: token.optional().meta({ description: 'cookie that holds the value; it must be one that clients cannot forge' }),
  from: tell.optional().meta({ description: 'function of the request head (library only)' }),
}

const QUERY = z.strictObject({
  keep: names.optional().meta({ description: 'only these parameters count' }),
  drop: names.default([]).meta({ description: 'parameters that do not count; `*` at the end matches any rest' }),
  tracking: z
    .union([z.boolean(), names])
    .default(true)
    .meta({ description: 'strip tracking parameters: true for the known list, or a list' }),
  defaults: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .default({})
    .meta({ description: 'values that mean the same as leaving the parameter out' }),
  unordered: names.default([]).meta({ description: 'parameters whose repeated values are a set' }),
  ignoreCase: names.default([]).meta({ description: 'parameters whose value is compared without regard to ASCII case' }),
  plusIsSpace: z.boolean().default(false).meta({ description: '`+` and `%20` are one' }),
  bareIsEmpty: z.boolean().default(false).meta({ description: '`a` and `a=` are one' }),
})

const TIER = z
  .strictObject({
    ...SOURCE,
    tiers: z
      .union([names.min(1), z.record(z.string(), z.string().min(1))])
      .meta({ description: 'known tiers, or value found → tier' }),
    anonymous: z.string().min(1).optional().meta({ description: 'tier of requests with neither the value nor credentials' }),
  })
  .refine(hasOneSource, { error: 'give exactly one of header, cookie, from' })

const FLAGS = z
  .strictObject({
    ...SOURCE,
    known: names.min(1).meta({ description: 'flags that change the answer; others do not count' }),
  })
  .refine(hasOneSource, { error: 'give exactly one of header, cookie, from' })

const LOCALE = z
  .strictObject({
    offered: names.min(1).meta({ description: 'language tags that the origin answers in' }),
    default: z.string().min(1).meta({ description: 'served when nothing offered is asked for' }),
  })
  .refine(({ offered, default: standard }) => offered.includes(standard), { error: 'default must be one of offered' })

/** The schema of a key policy. */
export const KEY_POLICY = z.strictObject({
  query: QUERY.optional().meta({ description: 'what of the query counts' }),
  headers: z.array(token).default([]).meta({ description: 'request fields that change the answer' }),
  cookies: z.array(token).default([]).meta({ description: 'cookies that change the answer' }),
  tier: TIER.optional().meta({ description: 'auth tier; unknown tiers are never cached' }),
  locale: LOCALE.optional().meta({ description: 'language, chosen from the offered list' }),
  encoding: names.optional().meta({ description: 'content codings that the origin offers, preferred first' }),
  flags: FLAGS.optional().meta({ description: 'feature flags' }),
  by: z
    .record(z.string().regex(/^[A-Za-z0-9_.-]+$/), tell)
    .default({})
    .meta({ description: 'further dimensions told by functions (library only)' }),
})

/** A key policy as users write it. */
export type KeyPolicyInput = z.input<typeof KEY_POLICY>
type Checked = z.output<typeof KEY_POLICY>

/** A compiled key policy. */
export interface KeyPolicy {
  readonly query: QueryRules
  /** In order of their names. */
  readonly dimensions: readonly Dimension[]
  /** Request fields that the dimensions tell fully: a Vary on them is answered by the key. */
  readonly covers: ReadonlySet<string>
  /** The dimensions that choose for the client, by the field they read: the origin must be asked for what was chosen. */
  readonly chosen: ReadonlyMap<string, Dimension>
  /** Whether an answer says that it is in another language or coding than its request's key: it must not be stored. */
  contradicts(request: RequestHead, answer: Fields): boolean
}

/** @throws FC_OPTION_* naming the first bad option */
export function parseKeyPolicy(given: KeyPolicyInput = {}, where = 'key'): KeyPolicy {
  return compileKeyPolicy(parseOptions(KEY_POLICY, given, where))
}

/** For schemas that contain KEY_POLICY and have checked it already. */
export function compileKeyPolicy(checked: Checked): KeyPolicy {
  const dimensions = declared(checked).sort((a, b) => (a.name < b.name ? -1 : 1))
  const locale = dimensions.find((dimension) => dimension.name === 'locale')
  const encoding = dimensions.find((dimension) => dimension.name === 'encoding')
  const chosen = new Map<string, Dimension>()
  if (locale !== undefined) chosen.set('accept-language', locale)
  if (encoding !== undefined) chosen.set('accept-encoding', encoding)
  return {
    query: compileQuery(checked.query ?? QUERY.parse({})),
    dimensions,
    covers: new Set(dimensions.flatMap((dimension) => dimension.covers)),
    chosen,
    contradicts: (request, answer) => {
      const language = locale === undefined ? undefined : answer.get('content-language')
      if (language !== undefined && !isLanguage(locale?.read(request) ?? '', language)) return true
      const coding = encoding === undefined ? undefined : answer.get('content-encoding')
      return coding !== undefined && codingName(coding.trim()) !== encoding?.read(request)
    },
  }
}

function declared(checked: Checked): Dimension[] {
  const { headers, cookies, tier, locale, encoding, flags, by } = checked
  const dimensions = [...new Set(headers.map((name) => name.toLowerCase()))].map(headerDimension)
  for (const name of new Set(cookies)) dimensions.push(cookieDimension(name))
  for (const [name, of] of Object.entries(by)) dimensions.push(customDimension(name, of))
  if (locale !== undefined) dimensions.push(localeDimension(locale.offered, locale.default))
  if (encoding !== undefined) dimensions.push(encodingDimension(encoding))
  if (flags !== undefined) dimensions.push(flagDimension(sourceOf(flags), flags.known))
  if (tier !== undefined) {
    const tiers = Array.isArray(tier.tiers) ? tier.tiers.map((name) => [name, name] as const) : Object.entries(tier.tiers)
    dimensions.push(tierDimension({ source: sourceOf(tier), tiers: new Map(tiers), anonymous: tier.anonymous }))
  }
  return dimensions
}

function compileQuery(query: z.output<typeof QUERY>): QueryRules {
  const tracking = query.tracking === true ? TRACKING_PARAMETERS : query.tracking === false ? [] : query.tracking
  return {
    keep: query.keep === undefined ? undefined : new Set(query.keep.map(rootOf)),
    drop: createNameMatch([...query.drop, ...tracking]),
    defaults: new Map(Object.entries(query.defaults).map(([name, value]) => [name, String(value)])),
    unordered: new Set(query.unordered),
    ignoreCase: new Set(query.ignoreCase),
    plusIsSpace: query.plusIsSpace,
    bareIsEmpty: query.bareIsEmpty,
  }
}

interface GivenSource {
  readonly header?: string | undefined
  readonly cookie?: string | undefined
  readonly from?: Tell | undefined
}

function hasOneSource({ header, cookie, from }: GivenSource): boolean {
  return [header, cookie, from].filter((one) => one !== undefined).length === 1
}

function sourceOf({ header, cookie, from }: GivenSource): { header: string } | { cookie: string } | { from: Tell } {
  if (header !== undefined) return { header }
  return cookie !== undefined ? { cookie } : { from: from as Tell }
}
