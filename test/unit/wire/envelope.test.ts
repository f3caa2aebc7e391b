import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Engine } from '../../../src/flow/engine.ts'
import { resolveSettings } from '../../../src/flow/options.ts'
import { decodeValue } from '../../../src/flow/value-codec.ts'
import { createDesk } from '../../../src/http/desk.ts'
import { decodeStored } from '../../../src/http/stored-codec.ts'
import type { Visit } from '../../../src/http/visit.ts'
import { ForecacheError } from '../../../src/model/errors.ts'
import { ByteReader } from '../../../src/wire/byte-reader.ts'
import { ByteWriter } from '../../../src/wire/byte-writer.ts'
import { type Envelope, readEnvelope, writeEnvelope } from '../../../src/wire/envelope.ts'
import { createSeal } from '../../../src/wire/seal.ts'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const GOLDEN = join(import.meta.dirname, '../../contract/envelopes')
const files = readdirSync(GOLDEN)
  .filter((name) => !name.includes('sealed'))
  .map((name) => readFileSync(join(GOLDEN, name)))
const KEY = 'http://shop/ä?b={1}'
const desk = createDesk({ engine: new Engine(resolveSettings({})), compress: true })
const visit = { desk, routed: desk.policies.match('GET', '/') } as Visit
const secret = (byte: number): string => Buffer.alloc(32, byte).toString('hex')

/** Reads everything there is to read. @returns the code of what was thrown */
function readAll(bytes: Uint8Array): string {
  try {
    const { codec, payload } = readEnvelope(bytes, KEY)
    readPayload(codec, payload)
    return 'read'
  } catch (error) {
    return error instanceof ForecacheError ? error.code : `${String(error)}`
  }
}

function readPayload(codec: number, payload: Uint8Array): void {
  decodeStored(visit, { codec, payload, storedAt: 0 })
  decodeValue({ policy: 'freeze', key: KEY, canonical: (_, body) => body }, codec, payload)
}

const envelopes = fc.record<Envelope>({
  key: fc.string({ unit: 'grapheme', minLength: 1 }),
  namespace: fc.string(),
  tags: fc.array(fc.string({ unit: 'grapheme' })),
  kind: fc.constantFrom('value', 'pass', 'vary'),
  budget: fc.record({ freshMs: fc.nat(), staleMs: fc.nat(), onErrorMs: fc.constantFrom(1, Number.POSITIVE_INFINITY) }),
  codec: fc.nat(),
  payload: fc.uint8Array({ maxLength: 10_000 }),
})

describe('envelopes', () => {
  it('give back what was put in, sealed or not', () => {
    const seal = createSeal([{ id: 'a', secret: secret(1) }])
    fc.assert(
      fc.property(envelopes, fc.boolean(), (envelope, isSealed) => {
        const how = isSealed ? seal : undefined
        const read = readEnvelope(writeEnvelope(envelope, how), envelope.key, how)
        expect({ ...read, payload: new Uint8Array(read.payload) }).toEqual(envelope)
      }),
    )
  })

  it('throw their own code and nothing else for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(readAll(bytes)).toBe('FC_L2_ENVELOPE')
        expect(['read', 'FC_L2_ENVELOPE']).toContain(readAll(Buffer.concat([Buffer.from([0xfc, 1, 0]), bytes])))
      }),
      { numRuns: 2000 },
    )
  })

  it('throw their own code and nothing else for entries that were damaged', () => {
    const damage = fc.record({
      file: fc.constantFrom(...files),
      at: fc.nat(),
      byte: fc.integer({ min: 0, max: 255 }),
      cut: fc.option(fc.nat()),
      more: fc.uint8Array({ maxLength: 8 }),
    })
    fc.assert(
      fc.property(damage, ({ file, at, byte, cut, more }) => {
        const bytes = Buffer.from(file)
        bytes[at % bytes.byteLength] = byte
        const damaged = Buffer.concat([cut === null ? bytes : bytes.subarray(0, cut % bytes.byteLength), more])
        expect(['read', 'FC_L2_ENVELOPE']).toContain(readAll(damaged))
      }),
      { numRuns: 5000 },
    )
  })

  it('throw their own code and nothing else for any payload of any codec', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 6 }), fc.uint8Array({ maxLength: 300 }), (codec, payload) => {
        try {
          readPayload(codec, payload)
        } catch (error) {
          expect(error).toMatchObject({ code: 'FC_L2_ENVELOPE' })
        }
      }),
      { numRuns: 3000 },
    )
  })

  it('take no memory for a length that nothing stands behind', () => {
    const before = process.memoryUsage().arrayBuffers
    const huge = new ByteWriter().whole(2 ** 50).finish()
    for (const read of ['block', 'text', 'texts'] as const) {
      expect(() => new ByteReader(huge)[read]()).toThrow(expect.objectContaining({ code: 'FC_L2_ENVELOPE' }))
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024)
  })

  it('belong to the key they were written under', () => {
    const bytes = writeEnvelope({ ...(readEnvelope(files[0] as Buffer, KEY) as Envelope), key: 'a' })

    expect(() => readEnvelope(bytes, 'b')).toThrow(expect.objectContaining({ code: 'FC_L2_ENVELOPE' }))
  })

  it('tell every whole number apart', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        expect(new ByteReader(new ByteWriter().whole(value).finish()).whole()).toBe(value)
      }),
    )
  })
})

describe('sealing', () => {
  const [first, second] = [
    { id: '2026-01', secret: secret(1) },
    { id: '2026-02', secret: secret(2) },
  ] as const
  const content = Buffer.from('content')
  const bound = Buffer.from('key')

  it('closes with the first key and opens with any', () => {
    const [old, both] = [createSeal([first]), createSeal([second, first])]

    expect(Buffer.from(both.open(Buffer.concat(old.close(content, bound)), bound))).toEqual(content)
    expect(() => old.open(Buffer.concat(both.close(content, bound)), bound)).toThrow(
      expect.objectContaining({ code: 'FC_L2_ENVELOPE' }),
    )
  })

  it('opens nothing that was changed, at any byte, or stands elsewhere', () => {
    const seal = createSeal([first])
    const sealed = Buffer.concat(seal.close(content, bound))
    for (let at = 0; at < sealed.byteLength; at += 1) {
      const changed = Buffer.from(sealed)
      changed[at] = (changed[at] as number) ^ 1
      expect(() => seal.open(changed, bound)).toThrow(expect.objectContaining({ code: 'FC_L2_ENVELOPE' }))
      expect(() => seal.open(sealed.subarray(0, at), bound)).toThrow(expect.objectContaining({ code: 'FC_L2_ENVELOPE' }))
    }
    expect(() => seal.open(sealed, Buffer.from('other'))).toThrow(expect.objectContaining({ code: 'FC_L2_ENVELOPE' }))
  })

  it('never seals twice alike', () => {
    const seal = createSeal([first])

    expect(Buffer.concat(seal.close(content, bound))).not.toEqual(Buffer.concat(seal.close(content, bound)))
  })

  it.each([
    ['no key', []],
    ['a short key', [{ id: 'a', secret: 'c2hvcnQ=' }]],
    ['an id of other characters', [{ id: 'a b', secret: secret(1) }]],
    ['an id twice', [first, { ...second, id: first.id }]],
  ])('refuses %s without naming a secret', (_, keys) => {
    const refusal = (): unknown => createSeal(keys)
    expect(refusal).toThrow(expect.objectContaining({ code: 'FC_OPTION_VALUE' }))
    for (const { secret: given } of keys) expect(refusal).not.toThrow(given)
  })
})
