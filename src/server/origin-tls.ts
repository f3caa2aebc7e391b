/**
 * TLS towards an origin: the options as Node takes them, files read.
 *
 * Floor 5, room server.
 */
import { isIP } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import { readPem } from '../tier/tls-material.ts'
import type { OriginTlsSettings } from './tls-schema.ts'

/** What a connection to an origin is secured with. */
export interface OriginTls {
  /** Asked for and looked for in the certificate; empty where the origin is an address (RFC 6066 section 3). */
  readonly servername: string
  /** Everything else. */
  readonly more: Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'passphrase' | 'rejectUnauthorized'>
}

/**
 * @param settings undefined: the system's authorities, no certificate of ours
 * @param url the origin's
 * @throws FC_TLS_FILE, FC_TLS_PEM
 */
export function readOriginTls(settings: OriginTlsSettings | undefined, url: URL): OriginTls {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const { ca, cert, key, passphrase, servername, rejectUnauthorized = true } = settings ?? {}
  const more: ConnectionOptions = { rejectUnauthorized }
  if (ca !== undefined) more.ca = readPem(ca, 'origin.tls.ca')
  if (cert !== undefined) more.cert = readPem(cert, 'origin.tls.cert')
  if (key !== undefined) more.key = readPem(key, 'origin.tls.key')
  if (passphrase !== undefined) more.passphrase = passphrase
  return { servername: servername ?? (isIP(host) === 0 ? host : ''), more }
}
