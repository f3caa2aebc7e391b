/**
 * The gate of HTTP/2: the same rules as server/admit, on a request whose parts came as pseudo-header fields.
 *
 * Floor 5, room server. Pure. nghttp2 has refused malformed frames, names in upper case and lengths that do not match the
 * content; what two readers may still read differently is refused here, and so is what would become ambiguous as HTTP/1.
 *
 * @see RFC 9113 sections 8.2 (fields), 8.3 (pseudo-header fields), 8.5 (CONNECT)
 */
import { ForecacheError } from '../model/errors.ts'
import type { RequestHead } from '../model/exchange.ts'
import { Fields } from '../model/fields.ts'
import { type AdmitLimits, checkFields, checkLength, checkMethod, parseAuthority, parseTarget } from './admit.ts'

/** Limits of a head; on HTTP/1 the parser counts its bytes. */
export interface Http2Limits extends AdmitLimits {
  readonly maxHeadBytes: number
}

type Pseudo = ':method' | ':scheme' | ':authority' | ':path'

const PSEUDO: ReadonlySet<string> = new Set([':method', ':scheme', ':authority', ':path'])
/** Fields that speak of a connection (section 8.2.2): in HTTP/2 they make a request malformed. */
const CONNECTION: ReadonlySet<string> = new Set([
  'connection',
  'proxy-connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/

/**
 * @param raw flat name, value list as node:http2 gives it, pseudo-header fields first
 * @param scheme the connection's
 * @returns the head as HTTP/1 would have brought it: Host instead of :authority, one Cookie
 * @throws FC_REQUEST_BAD, FC_REQUEST_METHOD, FC_REQUEST_EXPECT, FC_TARGET_TOO_LONG, FC_HEADERS_*, FC_REQUEST_TOO_LARGE
 */
export function admitHttp2(raw: readonly string[], limits: Http2Limits, scheme: RequestHead['scheme']): RequestHead {
  const { pseudo, list } = split(raw)
  const method = pseudo[':method']
  const path = pseudo[':path']
  if (method === undefined) throw bad(':method is missing')
  checkMethod(method)
  if (path === undefined || path === '') throw bad(':path is missing')
  if (pseudo[':scheme'] !== scheme) throw bad(`:scheme is not the connection's`)
  if (path.length > limits.maxTargetBytes) throw new ForecacheError('FC_TARGET_TOO_LONG', { max: limits.maxTargetBytes })
  if (list.length / 2 > limits.maxFields) throw new ForecacheError('FC_HEADERS_TOO_MANY', { max: limits.maxFields })
  const fields = Fields.fromRaw(list)
  if (fields.bytes > limits.maxHeadBytes) throw new ForecacheError('FC_HEADERS_TOO_LARGE', { max: limits.maxHeadBytes })
  checkFields(fields)
  checkLength(fields, limits.maxBodyBytes)
  const expect = fields.first('expect')
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') {
    throw new ForecacheError('FC_REQUEST_EXPECT', { given: expect })
  }
  const authority = authorityOf(pseudo[':authority'], fields.first('host'), scheme)
  const target = parseTarget(method, path, undefined)
  fields.set('host', authority)
  return { method, target, scheme, authority, fields: joinCookies(fields) }
}

/** The pseudo-header fields by name, and all others as a list. */
function split(raw: readonly string[]): { pseudo: Partial<Record<Pseudo, string>>; list: string[] } {
  const pseudo: Partial<Record<Pseudo, string>> = {}
  const list: string[] = []
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i] as string
    const value = raw[i + 1] as string
    if (name[0] === ':') {
      if (!PSEUDO.has(name)) throw bad(`${name} is not served`)
      if (list.length > 0) throw bad(`${name} comes behind other fields`)
      if (pseudo[name as Pseudo] !== undefined) throw bad(`${name} is given more than once`)
      pseudo[name as Pseudo] = value
      continue
    }
    checkLine(name, value)
    list.push(name, value)
  }
  return { pseudo, list }
}

function checkLine(name: string, value: string): void {
  if (!NAME.test(name)) throw bad('a field name holds characters that no name may hold')
  if (CONNECTION.has(name)) throw bad(`${name} has no place in HTTP/2`)
  if (name === 'te' && value.toLowerCase() !== 'trailers') throw bad('te may say trailers alone')
  // oxlint-disable-next-line no-control-regex -- these are the ones
  if (/[\0\r\n]/.test(value)) throw bad(`${name} holds characters that no value may hold`)
}

/** :authority and Host name the same, or one of them is missing. */
function authorityOf(named: string | undefined, host: string | undefined, scheme: RequestHead['scheme']): string {
  const given = named ?? host
  if (given === undefined) throw bad(':authority is missing')
  const authority = parseAuthority(given, scheme)
  if (host !== undefined && named !== undefined && parseAuthority(host, scheme) !== authority) {
    throw bad(':authority and Host name different hosts')
  }
  return authority
}

/** Crumbs of Cookie become one field again (section 8.2.3). */
function joinCookies(fields: Fields): Fields {
  const crumbs = fields.all('cookie')
  return crumbs.length < 2 ? fields : fields.set('cookie', crumbs.join('; '))
}

function bad(reason: string): ForecacheError {
  return new ForecacheError('FC_REQUEST_BAD', { reason })
}
