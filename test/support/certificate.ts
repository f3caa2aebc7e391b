/**
 * Certificates made for a test: an authority of its own, any names, any validity, P-256, in a few lines of DER.
 *
 * Node reads certificates and makes keys, but makes no certificates; no tool need be installed for this.
 *
 * @see RFC 5280 section 4.1 (the structure), RFC 5758 section 3.2 (ecdsa-with-SHA256)
 */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a certificate says. */
export interface CertificateWish {
  /** Names of machines, or addresses; the first is the subject's common name too. */
  readonly names?: readonly string[]
  /** Epoch ms; default: an hour ago. */
  readonly from?: number
  /** Epoch ms; default: in a year. */
  readonly to?: number
  /** Who signs; default: it signs itself. */
  readonly issuer?: Certificate
  /** May sign others. */
  readonly authority?: boolean
}

/** A certificate with its key. */
export interface Certificate {
  readonly cert: string
  readonly key: string
  readonly subject: Buffer
  readonly secret: KeyObject
}

const HOUR_MS = 3_600_000
const ECDSA_SHA256 = sequence(objectId('1.2.840.10045.4.3.2'))
let serial = 1

/** Makes a certificate and its key. */
export function makeCertificate(wish: CertificateWish = {}): Certificate {
  const { names = ['localhost', '127.0.0.1'], from = Date.now() - HOUR_MS, to = Date.now() + 365 * 24 * HOUR_MS } = wish
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const subject = nameOf(names[0] as string)
  serial += 1
  const body = sequence(
    tagged(0xa0, integer(2)),
    integer(serial),
    ECDSA_SHA256,
    wish.issuer?.subject ?? subject,
    sequence(time(from), time(to)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(alternativeNames(names), ...(wish.authority === true ? [basicConstraints()] : []))),
  )
  const signature = sign('sha256', body, wish.issuer?.secret ?? privateKey)
  const der = sequence(body, ECDSA_SHA256, tagged(0x03, Buffer.from([0]), signature))
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    subject,
    secret: privateKey,
  }
}

/** Writes a certificate and its key into a folder. */
export function writeCertificate(folder: string, { cert, key }: Certificate): { readonly cert: string; readonly key: string } {
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
  writeFileSync(files.cert, cert)
  writeFileSync(files.key, key)
  return files
}

function tagged(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  const head = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), content])
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, ...parts)
}

function integer(value: number): Buffer {
  return tagged(0x02, Buffer.from([value >> 8, value & 0xff]).subarray(value < 0x80 ? 1 : 0))
}

function objectId(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const part of rest) {
    const groups = [part & 0x7f]
    for (let left = part >> 7; left > 0; left >>= 7) groups.unshift(0x80 | (left & 0x7f))
    bytes.push(...groups)
  }
  return tagged(0x06, Buffer.from(bytes))
}

function nameOf(common: string): Buffer {
  return sequence(tagged(0x31, sequence(objectId('2.5.4.3'), tagged(0x0c, Buffer.from(common)))))
}

/** GeneralizedTime, which every validity may use here: OpenSSL reads it before 2050 too. */
function time(ms: number): Buffer {
  return tagged(0x18, Buffer.from(new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '')))
}

function alternativeNames(names: readonly string[]): Buffer {
  const list = names.map((name) =>
    /^\d+(?:\.\d+){3}$/.test(name) ? tagged(0x87, Buffer.from(name.split('.').map(Number))) : tagged(0x82, Buffer.from(name)),
  )
  return sequence(objectId('2.5.29.17'), tagged(0x04, sequence(...list)))
}

function basicConstraints(): Buffer {
  return sequence(
    objectId('2.5.29.19'),
    tagged(0x01, Buffer.from([0xff])),
    tagged(0x04, sequence(tagged(0x01, Buffer.from([0xff])))),
  )
}
