/**
 * Dimensions: what besides the URL may change an answer, declared by name and read from a request's head.
 *
 * Floor 1, room key. A dimension that cannot tell for sure fails closed: its request gets no key, so nothing is shared.
 * Values, never credentials, stand in the key. Reading is synchronous and must not throw; a function of the user's that
 * throws counts as not knowing.
 */
import { hash } from 'node:crypto'
import type { RequestHead } from '../model/exchange.ts'
import { AMBIGUOUS, readCookie } from './cookie.ts'
import { chooseEncoding, codingName } from './encoding.ts'
import { createLocaleChoice } from './locale.ts'
import { escapeValue } from './percent.ts'

/** One declared dimension. */
export interface Dimension {
  /** Its name in the key: token characters, no blank. */
  readonly name: string
  /** Request fields whose part in the answer is fully told by this dimension; lower-cased. */
  readonly covers: readonly string[]
  /** Why a request gets no key when `read` answers undefined. */
  readonly refusal: string
  /** The escaped value, null when the request has none, undefined when it cannot be told. */
  read(head: RequestHead): string | null | undefined
}

/** Where a value that the application trusts comes from. */
export type Source =
  | { readonly header: string }
  | { readonly cookie: string }
  | { readonly from: (head: RequestHead) => string | undefined }

/** Fields whose values mean the same in any case (RFC 9110: coding, range unit and media type names; RFC 6454 origins). */
const CASE_FREE_FIELDS: ReadonlySet<string> = new Set([
  'accept',
  'accept-charset',
  'accept-encoding',
  'accept-language',
  'content-encoding',
  'content-language',
  'origin',
  'te',
  'dnt',
  'save-data',
  'sec-ch-ua-mobile',
  'sec-ch-prefers-color-scheme',
  'sec-ch-prefers-reduced-motion',
  'sec-fetch-dest',
  'sec-fetch-mode',
  'sec-fetch-site',
  'sec-gpc',
  'upgrade-insecure-requests',
  'x-requested-with',
  'sec-websocket-protocol',
])

/** Fields that bear credentials. */
const SECRET_FIELDS: ReadonlySet<string> = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'x-api-key',
  'api-key',
  'x-auth-token',
  'x-access-token',
  'x-csrf-token',
  'x-xsrf-token',
])
/** Shorter values are choices, not credentials, and stay readable. */
const SECRET_FROM_CHARS = 16

/**
 * A value that may be a credential: keys are shown by explain, in events and in logs, so a long one stands there as its
 * digest (132 bits). `%#` begins nothing that `escapeValue` writes, so the two never meet.
 */
function discreetValue(value: string): string {
  return value.length < SECRET_FROM_CHARS ? escapeValue(value) : `%#${hash('sha256', value, 'base64url').slice(0, 22)}`
}

/** Whether a field's value means the same in any case; media type parameters may not. @param name lower-cased */
export function isCaseFree(name: string): boolean {
  return CASE_FREE_FIELDS.has(name) && name !== 'accept'
}

/** A request field by name: trimmed, lower-cased where the field is case-insensitive. */
export function headerDimension(field: string): Dimension {
  const name = field.toLowerCase()
  const caseFree = isCaseFree(name)
  return {
    name: `header.${name}`,
    covers: [name],
    refusal: '',
    read: ({ fields }) => {
      const value = fields.get(name)?.trim()
      if (value === undefined) return null
      return SECRET_FIELDS.has(name) ? discreetValue(value) : escapeValue(caseFree ? value.toLowerCase() : value)
    },
  }
}

/** A cookie by name; sent twice, it cannot be told. */
export function cookieDimension(cookie: string): Dimension {
  return {
    name: `cookie.${cookie}`,
    covers: [],
    refusal: `cookie ${cookie} came more than once`,
    read: ({ fields }) => {
      const value = readCookie(fields, cookie)
      if (value === AMBIGUOUS) return undefined
      return value === undefined ? null : discreetValue(value)
    },
  }
}

/** The offered language; see key/locale.ts. */
export function localeDimension(offered: readonly string[], standard: string): Dimension {
  const choice = createLocaleChoice(offered, standard)
  return {
    name: 'locale',
    covers: ['accept-language'],
    refusal: '',
    read: ({ fields }) => choice.choose(fields.get('accept-language')).toLowerCase(),
  }
}

/** The offered content coding. */
export function encodingDimension(offered: readonly string[]): Dimension {
  const names = offered.map(codingName)
  return {
    name: 'encoding',
    covers: ['accept-encoding'],
    refusal: 'no offered content coding is acceptable',
    read: ({ fields }) => chooseEncoding(names, fields.get('accept-encoding')),
  }
}

/** The declared tiers and where a request's tier is found. */
export interface TierRule {
  readonly source: Source
  /** Value found → tier. */
  readonly tiers: ReadonlyMap<string, string>
  /** Tier of a request that carries neither the value nor credentials; undefined: such a request gets no key. */
  readonly anonymous: string | undefined
}

/**
 * The auth tier: one of a declared list, never the token. Unknown values, and credentials without a tier, get no key.
 * Declaring it says that credentials change an answer by their tier alone.
 */
export function tierDimension(rule: TierRule): Dimension {
  const read = createReader(rule.source)
  return {
    name: 'tier',
    covers: ['authorization'],
    refusal: 'the auth tier is unknown',
    read: (head) => {
      const given = read(head)
      if (given === undefined) return undefined
      if (given === null)
        return rule.anonymous === undefined || head.fields.has('authorization') ? undefined : escapeValue(rule.anonymous)
      const tier = rule.tiers.get(given)
      return tier === undefined ? undefined : escapeValue(tier)
    },
  }
}

/** Feature flags: those of a comma-separated list that the route declares to matter. */
export function flagDimension(source: Source, known: readonly string[]): Dimension {
  const read = createReader(source)
  const matter = new Set(known)
  return {
    name: 'flags',
    covers: [],
    refusal: 'the feature flags are unknown',
    read: (head) => {
      const given = read(head)
      if (given === undefined || given === null) return given
      const on = given
        .split(',')
        .map((flag) => flag.trim())
        .filter((flag) => matter.has(flag))
      return on.length === 0 ? null : [...new Set(on)].sort().map(escapeValue).join(',')
    },
  }
}

/** A dimension that a function of the application tells: an experiment's arm, a tenant. Must answer a string. */
export function customDimension(name: string, tell: (head: RequestHead) => string | undefined): Dimension {
  const read = createReader({ from: tell })
  return {
    name: `by.${name}`,
    covers: [],
    refusal: `${name} is unknown`,
    read: (head) => {
      const given = read(head)
      return given === undefined || given === null ? undefined : escapeValue(given)
    },
  }
}

/** The value of a source: null when absent, undefined when it cannot be told. */
function createReader(source: Source): (head: RequestHead) => string | null | undefined {
  if ('header' in source) {
    const name = source.header.toLowerCase()
    return ({ fields }) => {
      const lines = fields.all(name)
      return lines.length > 1 ? undefined : (lines[0]?.trim() ?? null)
    }
  }
  if ('cookie' in source) {
    return ({ fields }) => {
      const value = readCookie(fields, source.cookie)
      return value === AMBIGUOUS ? undefined : (value ?? null)
    }
  }
  return (head) => {
    try {
      const given: unknown = source.from(head)
      if (given === undefined) return null
      return typeof given === 'string' ? given : undefined
    } catch {
      return undefined
    }
  }
}
