import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createCache } from '../../../src/flow/cache.ts'
import { readNatsCredentials } from '../../../src/tier/nats-credentials.ts'
import { createNkeyUser, createOperator } from '../../support/nats-keys.ts'

const { seed } = createNkeyUser()
const creds = createOperator().user()

describe('credentials for NATS', () => {
  it('are an nkey where there is only a seed, and a JWT with its seed in a .creds file', () => {
    expect(readNatsCredentials(`  ${seed}\n`)).toEqual({ seed, jwt: undefined })
    const read = readNatsCredentials(creds)
    expect(read.seed).toMatch(/^SU/)
    expect(read.jwt?.split('.')).toHaveLength(3)
    expect(readNatsCredentials(creds.replaceAll('\n', '\r\n'))).toEqual(read)
  })

  it('are read from a file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'forecache-creds-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'app.creds'), creds)

    expect(readNatsCredentials(join(folder, 'app.creds'))).toEqual(readNatsCredentials(creds))
  })

  it.each([
    ['/nowhere/app.creds', /nowhere.*there is no such file/],
    [tmpdir(), /cannot be used/],
    [import.meta.filename, /neither a user JWT nor the seed/],
    ['-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----', /the text given.*neither/],
    [creds.slice(0, creds.indexOf('-----BEGIN USER')), /no seed of a user/],
    [creds.slice(creds.indexOf('-----BEGIN USER')), /no user JWT/],
    [creds.replace(/SU[A-Z2-7]{56}/, 'SAAAAAA'), /no seed of a user/],
  ])('are refused where they are no use, without telling what they are: %#', (given, reason) => {
    const read = (): unknown => readNatsCredentials(given)
    expect(read).toThrow(expect.objectContaining({ code: 'FC_LINK_CREDENTIALS' }))
    expect(read).toThrow(reason)
    expect(read).not.toThrow(/eyJ|SU[A-Z2-7]{20}|MIIB/)
  })

  it('are refused at creation: with another login, without a NATS, or where they are no use', () => {
    const open = (bus: object): (() => unknown) => {
      return () => createCache({ l2: { url: 'redis://127.0.0.1:1', bus } })
    }
    expect(open({ url: 'nats://u:p@127.0.0.1:1', credentials: seed })).toThrow(/FC_OPTION_VALUE.*l2.bus.credentials.*instead of/)
    expect(open({ credentials: seed })).toThrow(/FC_OPTION_VALUE.*l2.bus.credentials.*l2.bus.url/)
    expect(open({ url: 'nats://127.0.0.1:1', credentials: '/nowhere' })).toThrow(/FC_LINK_CREDENTIALS/)
  })
})
