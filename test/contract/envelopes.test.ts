/**
 * Entries of the second level as they were written when their format was fixed: read for ever.
 *
 * `test/contract/envelopes` holds one file for each kind of entry and version. Files are never changed; FORECACHE_GOLDEN=write
 * adds those that are missing, for a new kind or version.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { makeContent } from '../../src/flow/content.ts'
import { Engine } from '../../src/flow/engine.ts'
import { resolveSettings } from '../../src/flow/options.ts'
import { CODEC, decodeValue, encodeValue } from '../../src/flow/value-codec.ts'
import { Held, unpackValue } from '../../src/flow/value.ts'
import { createDesk } from '../../src/http/desk.ts'
import { Stored, VaryIndex } from '../../src/http/stored.ts'
import { decodeStored, encodeStored } from '../../src/http/stored-codec.ts'
import { withVariants } from '../../src/http/variants.ts'
import type { Visit } from '../../src/http/visit.ts'
import type { Entry, EntryKind } from '../../src/model/entry.ts'
import { Fields } from '../../src/model/fields.ts'
import { type Envelope, readEnvelope, writeEnvelope } from '../../src/wire/envelope.ts'
import { createSeal } from '../../src/wire/seal.ts'

const FOLDER = join(import.meta.dirname, 'envelopes')
const BUDGET = { freshMs: 1000, staleMs: 2000.5, onErrorMs: 3000 }
const STORED_AT = 1_000_000
const SEAL = createSeal([{ id: 'golden', secret: Buffer.alloc(32, 7).toString('base64') }])

const engine = new Engine(resolveSettings({}))
const desk = createDesk({ engine, compress: true })
const visit = { desk, routed: desk.policies.match('GET', '/') } as Visit

function entryOf(value: unknown, kind: EntryKind = 'value'): Entry {
  const key = 'http://shop/ä?b={1}'
  return { key, kind, value, bytes: 1, storedAt: STORED_AT, budget: BUDGET, asOf: 0, namespace: 0, tags: ['t:1', 'ü'] }
}

function envelopeOf(entry: Entry): Envelope {
  const { key, kind, budget, tags } = entry
  const made = encodeStored(entry.value, entry) ?? encodeValue(entry.value, entry)
  const parts = kind === 'pass' ? { codec: CODEC.none, payload: new Uint8Array(0) } : made
  if (parts === undefined) throw new Error('nothing writes it')
  return { key, namespace: 'shop', tags, kind, budget, ...parts }
}

function response(): Stored {
  const settings = visit.routed.policy.compress
  if (settings === undefined) throw new Error('the desk makes codings')
  const recoding = { coding: 'identity', varied: true, certain: true, wide: false, maxBytes: 1048576, settings } as const
  const plan = {
    status: 200,
    statusText: 'OK',
    fields: Fields.from({ 'content-type': 'text/plain', etag: '"v1"', 'set-thing': ['a', 'b'] }),
    requestedAt: STORED_AT + 5,
    offsetMs: 1500,
    lifetimeMs: 60_000,
    windows: { whileMs: 10, ifErrorMs: 20, disconnectedMs: Number.POSITIVE_INFINITY, onRequest: true },
    alwaysValidate: false,
    vary: ['accept-encoding', 'accept-language'],
    selecting: [null, 'de'],
    search: { anyOrder: true, ignored: ['utm_source'], except: [] },
    tags: ['t:1'],
    budget: BUDGET,
    recoding,
  }
  const stored = new Stored(plan, { body: Buffer.from('plain text') })
  return withVariants(stored, { body: stored.body, coded: [{ coding: 'br', body: Buffer.from('coded'), mark: 'm1' }] }, undefined)
}

const part = new Stored(
  { ...response().plan, recoding: undefined, search: undefined, status: 206 },
  { body: Buffer.from('bcd'), part: { first: 1, last: 3, total: 10 }, trailers: Fields.from({ 'x-sum': '1' }) },
)

const CASES: readonly (readonly [string, Entry])[] = [
  ['text', entryOf('ä text')],
  ['wide', entryOf('half \ud800 pair')],
  ['number', entryOf(-0.5)],
  ['bigint', entryOf(-(2n ** 70n))],
  ['null', entryOf(null)],
  ['undefined', entryOf(undefined)],
  ['true', entryOf(true)],
  ['bytes', entryOf(Buffer.from([0, 255]))],
  ['object', entryOf({ at: new Date(5), by: new Map([['a', [1, undefined]]]) })],
  ['held', entryOf(new Held('with validator', '"e1"'))],
  ['content', entryOf(makeContent('text/plain', Buffer.from('content')).withCodings(new Map([['gzip', Buffer.from('zip')]])))],
  ['response', entryOf(response())],
  ['part', entryOf(part)],
  ['variants', entryOf(new VaryIndex('id', [['accept-language'], ['a', 'b']], ['k1']), 'vary')],
  ['pass', entryOf(undefined, 'pass')],
]

/** What is read of a payload, comparable. */
function readPayload({ key, codec, payload }: Envelope): unknown {
  const home = { policy: 'freeze' as const, key, canonical: <T>(_: string, body: T): T => body }
  const decoded = decodeStored(visit, { codec, payload, storedAt: STORED_AT }) ?? decodeValue(home, codec, payload)
  return comparable(decoded?.value)
}

function comparable(value: unknown): unknown {
  if (value instanceof Held) return { held: value.stored, etag: value.etag }
  if (value instanceof Stored) {
    const { plan, body, part: held, trailers, variants } = value
    const coded = variants?.coded.map((one) => ({ ...one, body: Buffer.from(one.body) }))
    const fields = [...plan.fields.raw()]
    return { ...plan, fields, body: Buffer.from(body), part: held, trailers: trailers?.raw(), coded }
  }
  return unpackValue('freeze', value)
}

describe('entries of the second level', () => {
  if (process.env['FORECACHE_GOLDEN'] === 'write') {
    for (const [name, entry] of CASES) {
      const envelope = envelopeOf(entry)
      for (const [file, seal] of [
        [`v1-${name}.bin`, undefined],
        [`v1-${name}-sealed.bin`, SEAL],
      ] as const) {
        if (!existsSync(join(FOLDER, file))) writeFileSync(join(FOLDER, file), writeEnvelope(envelope, seal))
      }
    }
  }

  it.each(CASES)('are read as they were written in version 1: %s', (name, entry) => {
    for (const [file, seal] of [
      [`v1-${name}.bin`, undefined],
      [`v1-${name}-sealed.bin`, SEAL],
    ] as const) {
      const envelope = readEnvelope(readFileSync(join(FOLDER, file)), entry.key, seal)

      expect(envelope).toMatchObject({ key: entry.key, namespace: 'shop', tags: entry.tags, kind: entry.kind, budget: BUDGET })
      if (entry.kind !== 'pass') expect(readPayload(envelope)).toEqual(comparable(entry.value))
    }
  })

  it.each(CASES.filter(([name]) => name !== 'object'))('are written in version 1 byte by byte as ever: %s', (name, entry) => {
    expect(writeEnvelope(envelopeOf(entry))).toEqual(readFileSync(join(FOLDER, `v1-${name}.bin`)))
  })

  it('leave no file without a test', () => {
    const known = CASES.flatMap(([name]) => [`v1-${name}.bin`, `v1-${name}-sealed.bin`])
    expect(readdirSync(FOLDER).toSorted()).toEqual(known.toSorted())
  })
})
