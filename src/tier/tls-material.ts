/**
 * What a client of ours needs to speak TLS to a server behind it: authorities, a certificate of its own, a name.
 *
 * Floor 2, room tier. Read once, at creation, and checked there: a connection that fails later fails for what the server shows.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ForecacheError } from '../model/errors.ts'

/** Options as given: a file, or PEM text itself. */
export interface TlsOptions {
  readonly ca?: string | undefined
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly passphrase?: string | undefined
  readonly servername?: string | undefined
  readonly rejectUnauthorized?: boolean | undefined
}

/** As Node's `tls.connect` takes it; PEM text. */
export interface TlsMaterial {
  ca?: string
  cert?: string
  key?: string
  passphrase?: string
  servername?: string
  rejectUnauthorized?: boolean
}

/**
 * Reads and proves what belongs together.
 *
 * @param name of the section in errors: `l2.tls`
 * @throws FC_TLS_FILE, FC_TLS_PEM, FC_TLS_MISMATCH, FC_OPTION_VALUE
 */
export function readTlsMaterial(options: TlsOptions, name: string): TlsMaterial {
  const { ca, cert, key, passphrase, servername, rejectUnauthorized } = options
  if ((cert === undefined) !== (key === undefined))
    throw new ForecacheError('FC_OPTION_VALUE', { name, reason: 'cert and key go together: name both, or none' })
  const material: TlsMaterial = {}
  if (ca !== undefined) material.ca = readPem(ca, `${name}.ca`)
  if (material.ca !== undefined) readCertificate(material.ca, `${name}.ca`, ca as string)
  if (cert !== undefined && key !== undefined) Object.assign(material, readPair({ cert, key, passphrase }, name))
  if (servername !== undefined) material.servername = servername
  if (rejectUnauthorized !== undefined) material.rejectUnauthorized = rejectUnauthorized
  return material
}

/**
 * @param given a file's name, or PEM text
 * @param name of the option in errors
 * @throws FC_TLS_FILE, FC_TLS_PEM
 */
export function readPem(given: string, name: string): string {
  if (isPem(given)) return given
  let text: string
  try {
    text = readFileSync(given, 'latin1')
  } catch (error) {
    throw new ForecacheError('FC_TLS_FILE', { name, file: given, reason: pemReasonOf(error) }, { cause: error })
  }
  if (!isPem(text)) throw new ForecacheError('FC_TLS_PEM', { name, file: given, reason: 'no -----BEGIN line' })
  return text
}

interface PairOptions {
  readonly cert: string
  readonly key: string
  readonly passphrase: string | undefined
}

function readPair(given: PairOptions, name: string): TlsMaterial {
  const cert = readPem(given.cert, `${name}.cert`)
  const key = readPem(given.key, `${name}.key`)
  const leaf = readCertificate(cert, `${name}.cert`, given.cert)
  const { passphrase } = given
  let isOwn: boolean
  try {
    isOwn = leaf.checkPrivateKey(createPrivateKey(passphrase === undefined ? { key } : { key, passphrase }))
  } catch (error) {
    throw new ForecacheError(
      'FC_TLS_PEM',
      { name: `${name}.key`, file: shown(given.key), reason: pemReasonOf(error) },
      { cause: error },
    )
  }
  if (!isOwn) throw new ForecacheError('FC_TLS_MISMATCH', { name, cert: shown(given.cert), key: shown(given.key) })
  return passphrase === undefined ? { cert, key } : { cert, key, passphrase }
}

function readCertificate(text: string, name: string, given: string): X509Certificate {
  try {
    return new X509Certificate(text)
  } catch (error) {
    throw new ForecacheError('FC_TLS_PEM', { name, file: shown(given), reason: pemReasonOf(error) }, { cause: error })
  }
}

function isPem(given: string): boolean {
  return given.includes('-----BEGIN ')
}

function shown(given: string): string {
  return isPem(given) ? 'the text given' : given
}

/** Why a file or its text is no use, for people. */
export function pemReasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ERR_MISSING_PASSPHRASE' || code === 'ERR_OSSL_CRYPTO_INTERRUPTED_OR_CANCELLED')
    return 'it is encrypted; set passphrase'
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES') return 'this process may not read it'
  return error.message
}
