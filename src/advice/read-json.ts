/**
 * Reads log lines that are JSON objects: the usual names of fields are known, others can be given.
 *
 * Floor 4, room advice. What is no object, or names no target, is no access. `http_accept_language` and the like, as nginx calls
 * them, and objects `headers` and `cookies` become traits.
 */
import { ForecacheError } from '../model/errors.ts'
import { type Access, type AccessNotes, isMoment } from './access.ts'
import { parseLogTime } from './read-clf.ts'

const KNOWN = {
  time: ['time', 'timestamp', 'ts', '@timestamp', 'time_iso8601', 'time_local', 'msec', 'date', 'at'],
  target: ['target', 'url', 'uri', 'request_uri', 'path', 'request', 'request.uri', 'req.url'],
  method: ['method', 'request_method', 'request.method', 'req.method'],
  status: ['status', 'status_code', 'statusCode', 'code', 'response', 'res.statusCode'],
  bytes: ['bytes', 'body_bytes_sent', 'bytes_sent', 'size', 'response_size', 'responseSize', 'length'],
  client: ['client', 'remote_addr', 'client_ip', 'clientIp', 'ip', 'remote', 'request.client_ip'],
  user: ['user', 'remote_user', 'user_id', 'userId'],
  digest: ['digest', 'content_digest', 'body_digest', 'etag', 'sent_http_etag', 'response_etag'],
  cacheControl: ['cache_control', 'cacheControl', 'sent_http_cache_control'],
  vary: ['vary', 'sent_http_vary'],
  connectionRequests: ['connection_requests', 'connectionRequests'],
} as const

type FieldName = keyof typeof KNOWN
type Values = Readonly<Record<string, unknown>>

/** Fields of a request that say nothing of the answer, or are no single value. */
const LEFT_OUT = new Set(['cookie', 'host', 'referer', 'x-forwarded-for', 'x-real-ip', 'connection', 'content-length'])
const MAX_TRAITS = 32

/** Names that `--field` may give a place: those of KNOWN, `header.NAME` and `cookie.NAME`. */
export const FIELD_NAMES: readonly string[] = Object.keys(KNOWN)

/**
 * @param fields name of FIELD_NAMES, `header.NAME` or `cookie.NAME` → where it stands in a line, members by dots
 * @throws FC_OPTION_UNKNOWN for another name
 */
export function createJsonReader(fields: Readonly<Record<string, string>> = {}): (line: string) => Access | undefined {
  for (const name of Object.keys(fields)) {
    if (!FIELD_NAMES.includes(name) && !/^(?:header|cookie)\../.test(name)) {
      throw new ForecacheError('FC_OPTION_UNKNOWN', {
        name: `field ${name}`,
        known: `${FIELD_NAMES.join(', ')}, header.NAME, cookie.NAME`,
      })
    }
  }
  const named = Object.entries(fields).filter(([name]) => name.includes('.'))
  const pick = (values: Values, name: FieldName): unknown => {
    const own = fields[name]
    return own === undefined ? firstOf(values, KNOWN[name]) : at(values, own)
  }
  return (line) => {
    const values = parseObject(line)
    return values === undefined ? undefined : readValues(values, { pick: (name) => pick(values, name), named })
  }
}

interface How {
  readonly pick: (name: FieldName) => unknown
  readonly named: readonly (readonly [name: string, place: string])[]
}

function readValues(values: Values, { pick, named }: How): Access | undefined {
  const request = /^(?:([A-Z]+) )?(\S+)/.exec(textOf(pick('target')))
  const target = (request?.[2] ?? '').replace(/^https?:\/\/[^/?#]*/i, '')
  const atMs = readTime(pick('time'))
  if (target.charCodeAt(0) !== 0x2f || !isMoment(atMs)) return undefined
  const user = textOf(pick('user'))
  const traits = [
    ...traitsOf(values),
    ...named.map(([name, place]) => [name.replace('.', ':'), textOf(at(values, place))] as const),
  ]
  if (user !== '' && user !== '-') traits.push(['user', user])
  const bytes = Number(pick('bytes') ?? -1)
  return {
    atMs,
    method: request?.[1] ?? (textOf(pick('method')) || 'GET'),
    target,
    status: Number(pick('status') ?? 200),
    bytes: Number.isInteger(bytes) ? bytes : -1,
    client: textOf(pick('client')),
    digest: textOf(pick('digest')).replace(/^-$/, ''),
    traits: traits.filter(([, value]) => value !== ''),
    ...notesOf(pick),
  }
}

function notesOf(pick: How['pick']): { notes?: AccessNotes } {
  const [cacheControl, vary, requests] = [textOf(pick('cacheControl')), textOf(pick('vary')), pick('connectionRequests')]
  if (cacheControl === '' && vary === '' && requests === undefined) return {}
  const ofConnection = Number(requests)
  return {
    notes: {
      ...(cacheControl !== '' && { cacheControl }),
      ...(vary !== '' && { vary }),
      ...(requests !== undefined && Number.isFinite(ofConnection) && { ofConnection }),
    },
  }
}

function traitsOf(values: Values): (readonly [string, string])[] {
  const found: (readonly [string, string])[] = []
  const add = (kind: 'header' | 'cookie', name: string, value: unknown): void => {
    const lower = kind === 'header' ? name.toLowerCase() : name
    if (found.length < MAX_TRAITS && !(kind === 'header' && LEFT_OUT.has(lower)) && !isObject(value))
      found.push([`${kind}:${lower}`, textOf(value)])
  }
  for (const name in values) {
    const value = values[name]
    if (name.startsWith('http_')) add('header', name.slice(5).replaceAll('_', '-'), value)
    else if (name.startsWith('cookie_')) add('cookie', name.slice(7), value)
    else if ((name === 'headers' || name === 'cookies') && isObject(value))
      for (const [member, of] of Object.entries(value)) add(name === 'headers' ? 'header' : 'cookie', member, of)
  }
  return found
}

/** Epoch s or ms, ISO 8601, or as access logs write it. */
function readTime(value: unknown): number {
  const number = typeof value === 'number' ? value : /^\d+(?:\.\d+)?$/.test(textOf(value)) ? Number(value) : Number.NaN
  if (!Number.isNaN(number)) return number > 1e11 ? number : number * 1000
  const parsed = Date.parse(textOf(value))
  return Number.isNaN(parsed) ? parseLogTime(textOf(value)) : parsed
}

function parseObject(line: string): Values | undefined {
  try {
    const parsed: unknown = JSON.parse(line)
    return isObject(parsed) ? parsed : undefined
  } catch {
    return undefined
  }
}

function firstOf(values: Values, places: readonly string[]): unknown {
  for (const place of places) {
    const found = at(values, place)
    if (found !== undefined && found !== null && !isObject(found)) return found
  }
  return undefined
}

function at(values: Values, place: string): unknown {
  if (Object.hasOwn(values, place)) return values[place]
  if (!place.includes('.')) return undefined
  return place.split('.').reduce<unknown>((of, name) => (isObject(of) && Object.hasOwn(of, name) ? of[name] : undefined), values)
}

function isObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
}
