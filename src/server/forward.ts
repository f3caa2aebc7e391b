/**
 * What the origin is told about the client: X-Forwarded-*, Forwarded, Via; and what it is never told.
 *
 * Floor 5, room server. These fields are not part of a key, so a client must not be able to set them: what he sends is
 * dropped and written anew from the connection, unless the connection comes from a trusted proxy. Even then
 * X-Forwarded-Host is always the Host that is keyed. Names are compared with `_` as `-`, as CGI-like origins read them.
 *
 * @see RFC 7239 (Forwarded), RFC 9110 sections 7.6.1 and 7.6.3 (Connection, Via)
 */
import { BlockList, isIP } from 'node:net'
import { ForecacheError } from '../model/errors.ts'
import type { RequestHead } from '../model/exchange.ts'
import { Fields } from '../model/fields.ts'
import { endToEnd } from '../rules/hop.ts'
import type { Peer } from './peer.ts'

/** Fields by which a client could choose what others get to see: written by us or by nobody. */
const CLAIMS: ReadonlySet<string> = new Set([
  'forwarded',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'true-client-ip',
  'client-ip',
  'x-original-url',
  'x-rewrite-url',
  'x-original-host',
  'x-original-path',
  'x-original-uri',
  'x-envoy-original-path',
  'x-forwarded',
  'x-originating-ip',
  'x-remote-ip',
  'x-remote-addr',
  'x-host',
  'x-http-host-override',
  'x-scheme',
  'x-url-scheme',
  'x-original-proto',
  'front-end-https',
  'proxy',
  'proxy-authorization',
  'http2-settings',
  'expect',
  'trailer',
])
/** On a safe request these would make the origin run another method than the one that is keyed. */
const METHOD_CLAIMS: ReadonlySet<string> = new Set(['x-http-method-override', 'x-http-method', 'x-method-override'])
const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'QUERY'])
const FRAMING: ReadonlySet<string> = new Set([
  'host',
  'content-length',
  'transfer-encoding',
  'content-type',
  'content-encoding',
  'connection',
  'upgrade',
  'te',
  'trailer',
  'via',
  'cookie',
  'authorization',
  'range',
])
const CHAIN = /^[\w.:[\]," \t=;-]{1,2048}$/

/** How forwarding fields are written. */
export interface ForwardRules {
  /** Whether this address is a proxy whose X-Forwarded-For, -Proto and Forwarded are believed. */
  isTrusted(address: string): boolean
  /** Our name in Via; a request that carries it already has come back. */
  readonly pseudonym: string
}

/**
 * @param trusted addresses, networks in CIDR form, `loopback` or `private`
 * @throws FC_OPTION_VALUE
 */
export function parseTrust(trusted: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const given of trusted) for (const one of NAMED[given] ?? [given]) addNetwork(list, one)
  if (trusted.length === 0) return () => false
  return (address) => isIP(address) !== 0 && list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
}

const NAMED: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', '127.0.0.0/8', '::1/128'],
}

function addNetwork(list: BlockList, given: string): void {
  const [address = '', bits, ...more] = given.split('/')
  const family = isIP(address)
  const width = family === 6 ? 128 : 32
  const prefix = bits === undefined ? width : Number(bits)
  if (family === 0 || more.length > 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > width || bits === '') {
    throw new ForecacheError('FC_OPTION_VALUE', {
      name: 'trust',
      reason: `expected an address, a network such as 10.0.0.0/8, loopback or private; given ${given}`,
    })
  }
  list.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4')
}

/**
 * @param head as admitted
 * @returns the head with end-to-end fields only, forwarding fields ours; `scheme` as the trusted proxy says, else as the
 *   connection has it
 * @throws FC_REQUEST_LOOP
 */
export function forward(head: RequestHead, peer: Peer, rules: ForwardRules): RequestHead {
  const trusted = rules.isTrusted(peer.address)
  const given = endToEnd(head.fields)
  const scheme = (trusted ? schemeSaid(given) : undefined) ?? head.scheme
  const port = scheme === 'https' ? ':443' : ':80'
  const authority = head.authority.endsWith(port) ? head.authority.slice(0, -port.length) : head.authority
  const fields = withoutClaims(given, SAFE.has(head.method))
  if (authority !== head.authority) fields.set('host', authority)
  const via = given.get('via')
  if (via?.includes(rules.pseudonym)) throw new ForecacheError('FC_REQUEST_LOOP')
  const clients = trusted ? chain(given.get('x-forwarded-for')) : ''
  const hops = trusted ? chain(given.get('forwarded')) || hopsOf(clients) : ''
  fields.set('x-forwarded-for', clients + peer.address)
  fields.set('x-forwarded-proto', scheme)
  if (authority !== '') fields.set('x-forwarded-host', authority)
  fields.set('forwarded', `${hops}for=${quoted(peer.address)};host="${authority}";proto=${scheme}`)
  fields.set('via', `${via === undefined ? '' : `${via}, `}${peer.version} ${rules.pseudonym}`)
  return { ...head, scheme, authority, fields }
}

function schemeSaid(given: Fields): 'http' | 'https' | undefined {
  const said = given.get('x-forwarded-proto')?.trim().toLowerCase()
  return said === 'http' || said === 'https' ? said : undefined
}

function withoutClaims(given: Fields, safe: boolean): Fields {
  const kept: string[] = []
  const raw = given.raw()
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string
    const canonical = name.includes('_') ? name.replaceAll('_', '-') : name
    if (CLAIMS.has(canonical) || canonical.startsWith('x-forwarded-')) continue
    if (safe && METHOD_CLAIMS.has(canonical)) continue
    if (canonical !== name && FRAMING.has(canonical)) continue
    kept.push(name, raw[i + 1] as string)
  }
  return Fields.ofLower(kept)
}

/** A trusted proxy's list, ready to be appended to; what no such list may hold is left out. */
function chain(given: string | undefined): string {
  return given !== undefined && CHAIN.test(given) ? `${given}, ` : ''
}

/** X-Forwarded-For said as Forwarded, where the proxy speaks only the former. */
function hopsOf(clients: string): string {
  const known = clients
    .split(',')
    .map((one) => one.trim())
    .filter((one) => isIP(one) !== 0)
  return known.map((one) => `for=${quoted(one)}, `).join('')
}

function quoted(address: string): string {
  return isIP(address) === 6 ? `"[${address}]"` : address
}
