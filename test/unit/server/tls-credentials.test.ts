/** Certificates and keys: read, proven to belong together, told apart by name, warned about. */
import { createPrivateKey } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { credentialFiles, readCredentials } from '../../../src/server/tls-credentials.ts'
import { TLS, type TlsSettings } from '../../../src/server/tls-schema.ts'
import { makeCertificate, writeCertificate } from '../../support/certificate.ts'

const PAIR = makeCertificate()
const DAY_MS = 86_400_000

function settings(given: object = {}): TlsSettings {
  return TLS.parse({ cert: PAIR.cert, key: PAIR.key, ...given })
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'forecache-tls-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return path
}

describe('tls credentials: what is wrong is told with option and file', () => {
  it('a file that is not there', () => {
    expect(() => readCredentials(settings({ cert: '/nowhere/cert.pem' }), 'tls')).toThrow(
      'FC_TLS_FILE: tls.cert: /nowhere/cert.pem cannot be read: there is no such file; name a PEM file that this process may read',
    )
  })

  it('a file that holds something else', () => {
    const file = join(folder(), 'cert.pem')
    writeFileSync(file, 'hello')
    expect(() => readCredentials(settings({ cert: file }), 'api.tls')).toThrow(
      `FC_TLS_PEM: api.tls.cert: ${file} is not what it should be`,
    )
  })

  it('a certificate where the key should be', () => {
    expect(() => readCredentials(settings({ key: PAIR.cert }), 'tls')).toThrow('FC_TLS_PEM: tls.key: the text given')
  })

  it('PEM whose content is damaged', () => {
    const cert = PAIR.cert.replace(/\n[A-Za-z0-9+/]{20}/, '\nAAAAAAAAAAAAAAAAAAAA')
    expect(() => readCredentials(settings({ cert }), 'tls')).toThrow(expect.objectContaining({ code: 'FC_TLS_PEM' }))
  })

  it("another certificate's key, also of a further certificate", () => {
    const other = makeCertificate()
    expect(() => readCredentials(settings({ key: other.key }), 'tls')).toThrow(
      'FC_TLS_MISMATCH: tls: the key in the text given does not belong to the certificate in the text given',
    )
    const certificates = [{ cert: PAIR.cert, key: other.key }]
    expect(() => readCredentials(settings({ certificates }), 'tls')).toThrow('FC_TLS_MISMATCH: tls.certificates[0]')
  })

  it('an encrypted key without its passphrase, or with a wrong one', () => {
    const key = createPrivateKey(PAIR.key).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' })

    expect(() => readCredentials(settings({ key }), 'tls')).toThrow('set passphrase')
    expect(() => readCredentials(settings({ key, passphrase: 'other' }), 'tls')).toThrow(
      expect.objectContaining({ code: 'FC_TLS_PEM' }),
    )
    expect(() => readCredentials(settings({ key, passphrase: 'secret' }), 'tls')).not.toThrow()
  })

  it('cipher suites that do not exist', () => {
    expect(() => readCredentials(settings({ ciphers: 'NONSENSE' }), 'tls')).toThrow(
      expect.objectContaining({ code: 'FC_OPTION_VALUE' }),
    )
  })
})

describe('tls credentials: by name', () => {
  const one = makeCertificate({ names: ['one.test'] })
  const wild = makeCertificate({ names: ['*.two.test'] })
  const pairs = [one, wild].map(({ cert, key }) => ({ cert, key }))

  it('chooses the first that bears the name, and none for a name that nobody bears', () => {
    const { choose } = readCredentials(settings({ certificates: pairs }), 'tls')

    expect(choose('localhost')).toBeDefined()
    expect(choose('one.test')).toBeDefined()
    expect(choose('ONE.test')).toBe(choose('one.test'))
    expect(choose('a.two.test')).not.toBe(choose('one.test'))
    for (const name of ['two.test', 'a.b.two.test', 'evil.test', '', '\0', '*']) expect(choose(name)).toBeUndefined()
  })

  it('names each file once', () => {
    const path = folder()
    const files = writeCertificate(path, one)
    const given = settings({ ...files, ca: files.cert, certificates: [{ ...files }, pairs[1]] })

    expect(credentialFiles(given)).toEqual([files.cert, files.key])
  })
})

describe('tls credentials: validity', () => {
  const now = Date.now()
  const warned = (from: number, to: number): string[] => {
    const { cert, key } = makeCertificate({ names: ['a.test'], from: now + from * DAY_MS, to: now + to * DAY_MS })
    return readCredentials(settings({ cert, key }), 'tls').warnings(now)
  }

  it('is warned about when it is over, about to be, or not yet; not otherwise', () => {
    expect(warned(-30, -1)).toEqual([expect.stringContaining('DNS:a.test expired on')])
    expect(warned(-30, 13)).toEqual([expect.stringContaining('DNS:a.test expires on')])
    expect(warned(1, 30)).toEqual([expect.stringContaining('DNS:a.test is valid only from')])
    expect(warned(-1, 90)).toEqual([])
  })
})
