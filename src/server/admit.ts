/**
 * The gate of the listener: which requests are unambiguous enough to be answered at all.
 *
 * Floor 5, room server. `node:http` (strict parser) has already refused obs-fold, bare CR and LF, control characters,
 * conflicting lengths and malformed chunks. What it lets through although two readers may read it differently is refused
 * here (RFC 9112 sections 3, 6 and 11.2). Nothing is repaired: a target is passed on byte for byte.
 */
import type { IncomingMessage } from 'node:http'
import { ForecacheError } from '../model/errors.ts'
import type { RequestHead } from '../model/exchange.ts'
import { Fields } from '../model/fields.ts'

/** Limits of a request's head. */
export interface AdmitLimits {
  readonly maxTargetBytes: number
  readonly maxFields: number
  readonly maxBodyBytes: number
  /** Stands in where HTTP/1.0 names no host: the origin's own. */
  readonly defaultAuthority: string
}

/** Names that may stand once: a second line would let two readers choose differently. */
const SINGLE: readonly string[] = [
  'host',
  'content-length',
  'transfer-encoding',
  'content-type',
  'authorization',
  'proxy-authorization',
  'expect',
  'range',
  'upgrade',
]
type Scheme = RequestHead['scheme']
const HOST = /^(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9_.-])?|\[[0-9a-f:.]+\])(?::(\d{1,5}))?$/
const TARGET = /^[\x21-\x7e]+$/
const ABSOLUTE = /^([a-z][a-z0-9+.-]*):\/\/([^/?#]*)(.*)$/i

/**
 * @param request its parser ran strictly
 * @param limits what a head may hold
 * @param scheme the connection's
 * @returns the head as received, target in origin-form, Host normalized (lower case, default port dropped)
 * @throws FC_REQUEST_BAD, FC_REQUEST_METHOD, FC_REQUEST_VERSION, FC_REQUEST_CODING, FC_TARGET_TOO_LONG,
 *   FC_HEADERS_TOO_LARGE, FC_REQUEST_TOO_LARGE
 */
export function admit(
  request: Pick<IncomingMessage, 'method' | 'url' | 'rawHeaders' | 'httpVersion'>,
  limits: AdmitLimits,
  scheme: Scheme = 'http',
): RequestHead {
  const { method = '', url = '', rawHeaders, httpVersion } = request
  if (httpVersion !== '1.1' && httpVersion !== '1.0') throw new ForecacheError('FC_REQUEST_VERSION', { given: httpVersion })
  checkMethod(method)
  if (url.length > limits.maxTargetBytes) throw new ForecacheError('FC_TARGET_TOO_LONG', { max: limits.maxTargetBytes })
  if (rawHeaders.length / 2 > limits.maxFields) {
    throw new ForecacheError('FC_HEADERS_TOO_MANY', { max: limits.maxFields })
  }
  const fields = Fields.fromRaw(rawHeaders)
  checkFields(fields)
  checkCoding(fields, httpVersion)
  checkLength(fields, limits.maxBodyBytes)
  const named = fields.first('host')
  if (named === undefined && httpVersion !== '1.0') throw bad('Host is missing')
  const authority = named === undefined ? limits.defaultAuthority : parseAuthority(named, scheme)
  const target = parseTarget(method, url, { authority, scheme })
  fields.set('host', authority)
  return { method, target, scheme, authority, fields }
}

/** @throws FC_REQUEST_METHOD */
export function checkMethod(method: string): void {
  if (method === 'CONNECT' || method === 'TRACE') throw new ForecacheError('FC_REQUEST_METHOD', { method })
}

/** @throws FC_REQUEST_BAD for a field that may stand once and stands twice */
export function checkFields(fields: Fields): void {
  for (const name of SINGLE) if (fields.all(name).length > 1) throw bad(`${name} is given more than once`)
}

function checkCoding(fields: Fields, version: string): void {
  const coding = fields.first('transfer-encoding')
  if (coding === undefined) return
  if (fields.has('content-length')) throw bad('Content-Length and Transfer-Encoding together')
  if (version === '1.0') throw bad('Transfer-Encoding in HTTP/1.0')
  if (!/(?:^|,)[ \t]*chunked$/i.test(coding)) throw bad('Transfer-Encoding does not end with chunked')
  if (coding.toLowerCase() !== 'chunked') throw new ForecacheError('FC_REQUEST_CODING', { given: coding })
}

/** @throws FC_REQUEST_BAD, FC_REQUEST_TOO_LARGE */
export function checkLength(fields: Fields, maxBodyBytes: number): void {
  const length = fields.first('content-length')
  if (length === undefined) return
  if (!/^\d{1,15}$/.test(length)) throw bad('Content-Length is not a number')
  if (Number(length) > maxBodyBytes) throw new ForecacheError('FC_REQUEST_TOO_LARGE', { max: maxBodyBytes })
}

/**
 * @returns the host, lower-cased, without the scheme's default port
 * @throws FC_REQUEST_BAD
 */
export function parseAuthority(given: string, scheme: Scheme): string {
  const host = given.toLowerCase()
  const match = HOST.exec(host)
  if (match === null || host.length > 255 || Number(match[1] ?? 0) > 65_535) throw bad('Host is not valid')
  const port = scheme === 'https' ? ':443' : ':80'
  return host.endsWith(port) ? host.slice(0, -port.length) : host
}

/**
 * @param at what absolute-form must agree with: the connection's scheme and Host's authority; undefined where it is not served
 * @returns origin-form, byte for byte
 * @throws FC_REQUEST_BAD
 */
export function parseTarget(method: string, url: string, at: Pick<RequestHead, 'authority' | 'scheme'> | undefined): string {
  if (!TARGET.test(url) || url.includes('#')) throw bad('the target holds characters that no target may hold')
  if (url[0] === '/') return url
  if (url === '*' && method === 'OPTIONS') return url
  const match = ABSOLUTE.exec(url)
  if (match === null || at === undefined) throw bad('the target is neither a path nor a URL')
  const [, scheme = '', named = '', rest = ''] = match
  if (scheme.toLowerCase() !== at.scheme) throw bad('the target names another scheme')
  if (parseAuthority(named, at.scheme) !== at.authority) throw bad('the target and Host name different hosts')
  return rest[0] === '/' ? rest : `/${rest}`
}

function bad(reason: string): ForecacheError {
  return new ForecacheError('FC_REQUEST_BAD', { reason })
}
