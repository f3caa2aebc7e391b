/**
 * Certificates and keys, read and proven to belong together before any connection meets them.
 *
 * Floor 5, room server. Reading is synchronous: at start and on a change, never for a request. What is wrong is told with
 * the option and the file; what is merely old is a warning, because clients may still accept what we cannot judge.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls'
import { ForecacheError } from '../model/errors.ts'
import { pemReasonOf, readPem } from '../tier/tls-material.ts'
import type { TlsSettings } from './tls-schema.ts'

const DAY_MS = 86_400_000
/** A certificate that ends within this time is warned about. */
const SOON_MS = 14 * DAY_MS

const HOST_NAME = /^[A-Za-z0-9._-]{1,253}$/

/** A certificate with its key. */
interface Pair {
  readonly cert: string
  readonly key: string
  readonly passphrase: string | undefined
  readonly leaf: X509Certificate
}

/** What a port needs to speak TLS. */
export interface Credentials {
  /** Of the first certificate: what `setSecureContext` takes. */
  readonly context: SecureContextOptions
  readonly http2: boolean
  /** Clients must show a certificate. */
  readonly asksClients: boolean
  /** @returns the context of the certificate that bears this name; undefined: the first one's */
  choose(servername: string): SecureContext | undefined
  /** What is about to go wrong: certificates expired, ending soon, not valid yet. @param now epoch ms */
  warnings(now: number): string[]
}

/**
 * @param name of the section in errors: `tls`, `api.tls`
 * @throws FC_TLS_FILE, FC_TLS_PEM, FC_TLS_MISMATCH
 */
export function readCredentials(settings: TlsSettings, name: string): Credentials {
  const first = readPair(settings, name)
  const more = settings.certificates.map((one, i) => readPair(one, `${name}.certificates[${i}]`))
  const shared: SecureContextOptions = { minVersion: settings.minVersion }
  if (settings.ciphers !== undefined) shared.ciphers = settings.ciphers
  if (settings.ca !== undefined) shared.ca = readPem(settings.ca, `${name}.ca`)
  const chosen = [first, ...more].map((pair, i) => {
    const at = i === 0 ? name : `${name}.certificates[${i - 1}]`
    return { leaf: pair.leaf, secure: contextOf({ ...shared, ...secrets(pair) }, at) }
  })
  return {
    context: { ...shared, ...secrets(first) },
    http2: settings.http2,
    asksClients: settings.ca !== undefined,
    choose(servername) {
      if (!HOST_NAME.test(servername)) return undefined // `checkHost` throws for what can be no name
      return chosen.find(({ leaf }) => leaf.checkHost(servername) !== undefined)?.secure
    },
    warnings: (now) => [first, ...more].flatMap(({ leaf }) => warningOf(leaf, now)),
  }
}

/** Files that a section names; a change of one is a change of its credentials. */
export function credentialFiles({ cert, key, ca, certificates }: TlsSettings): string[] {
  const named = [cert, key, ...(ca === undefined ? [] : [ca]), ...certificates.flatMap((one) => [one.cert, one.key])]
  return [...new Set(named.filter((one) => !isPem(one)))]
}

function readPair(given: Pick<TlsSettings, 'cert' | 'key' | 'passphrase'>, name: string): Pair {
  const cert = readPem(given.cert, `${name}.cert`)
  const key = readPem(given.key, `${name}.key`)
  const leaf = attempt(() => new X509Certificate(cert), { name: `${name}.cert`, file: shown(given.cert) })
  const secret = attempt(() => createPrivateKey({ key, passphrase: given.passphrase }), {
    name: `${name}.key`,
    file: shown(given.key),
  })
  if (!leaf.checkPrivateKey(secret)) {
    throw new ForecacheError('FC_TLS_MISMATCH', { name, cert: shown(given.cert), key: shown(given.key) })
  }
  return { cert, key, passphrase: given.passphrase, leaf }
}

function attempt<T>(read: () => T, at: { readonly name: string; readonly file: string }): T {
  try {
    return read()
  } catch (error) {
    throw new ForecacheError('FC_TLS_PEM', { ...at, reason: pemReasonOf(error) }, { cause: error })
  }
}

function contextOf(options: SecureContextOptions, name: string): SecureContext {
  try {
    return createSecureContext(options)
  } catch (error) {
    throw new ForecacheError('FC_OPTION_VALUE', { name, reason: pemReasonOf(error) }, { cause: error })
  }
}

function secrets({ cert, key, passphrase }: Pair): SecureContextOptions {
  return passphrase === undefined ? { cert, key } : { cert, key, passphrase }
}

function warningOf(leaf: X509Certificate, now: number): string[] {
  const from = Date.parse(leaf.validFrom)
  const to = Date.parse(leaf.validTo)
  const subject = (leaf.subjectAltName ?? leaf.subject).split('\n').join(', ')
  if (to < now) return [`the certificate of ${subject} expired on ${leaf.validTo}; renew it`]
  if (from > now) return [`the certificate of ${subject} is valid only from ${leaf.validFrom}; check it and the machine's clock`]
  if (to - now < SOON_MS) return [`the certificate of ${subject} expires on ${leaf.validTo}; renew it`]
  return []
}

function isPem(given: string): boolean {
  return given.includes('-----BEGIN ')
}

function shown(given: string): string {
  return isPem(given) ? 'the text given' : given
}
