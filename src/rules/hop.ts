/**
 * Fields that belong to one connection or one hop, never forwarded and never stored (RFC 9110 section 7.6.1,
 * RFC 9111 section 3.1).
 *
 * Floor 1, room rules. Pure. A field that frames or routes the message cannot be named away by `Connection`.
 */
import { Fields } from '../model/fields.ts'
import { trimOws } from './list.ts'

const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
])

/** Answers between proxy and its client alone; kept out of the store (RFC 9111 section 3.1). */
const PROXY: ReadonlySet<string> = new Set(['proxy-authenticate', 'proxy-authentication-info', 'proxy-authorization'])

/** What `Connection` may not remove: without these the message would be framed, routed, kept or forgotten otherwise. */
const PROTECTED: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'cache-control',
  'authorization',
  'vary',
  'set-cookie',
  'cookie',
  'date',
  'age',
  'expires',
  'content-type',
  'content-encoding',
  'content-range',
  'range',
  'etag',
  'last-modified',
  'expect',
  'pragma',
  'forecache-cache-control',
  'cdn-cache-control',
  'surrogate-key',
  'cache-tag',
  'xkey',
  'cache-groups',
  'cache-group-invalidation',
  'no-vary-search',
  'location',
  'content-location',
])

const NONE: ReadonlySet<string> = new Set()

/** Names listed in `Connection`, lower-cased, without what it may not remove. */
export function connectionNames(fields: Fields): ReadonlySet<string> {
  if (!fields.has('connection')) return NONE
  const names = new Set<string>()
  for (const line of fields.all('connection')) {
    for (const member of line.split(',')) {
      const name = trimOws(member).toLowerCase()
      if (name !== '' && !PROTECTED.has(name)) names.add(name)
    }
  }
  return names
}

/**
 * The end-to-end fields of a message that is passed on.
 *
 * @param fields as received
 * @returns a copy without hop-by-hop fields and without what `Connection` names; `Trailer` stays, it is informative
 */
export function endToEnd(fields: Fields): Fields {
  return without(fields, connectionNames(fields), false)
}

/** The fields of a response that may be stored: end-to-end, without proxy authentication and without `drop`. */
export function storableFields(fields: Fields, drop: Iterable<string> = []): Fields {
  const named = new Set(connectionNames(fields))
  for (const name of drop) named.add(name)
  return without(fields, named, true)
}

function without(fields: Fields, named: ReadonlySet<string>, stored: boolean): Fields {
  const raw = fields.raw()
  const kept: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string
    if (HOP_BY_HOP.has(name) || named.has(name) || (stored && PROXY.has(name))) continue
    kept.push(name, raw[i + 1] as string)
  }
  return Fields.ofLower(kept)
}
