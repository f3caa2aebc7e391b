/** The small rules of the server: trailers, handshakes, near names, changed sections, errors of origins. */
import { describe, expect, it } from 'vitest'
import { Fields } from '../../../src/model/fields.ts'
import { changedSections } from '../../../src/server/config-change.ts'
import { parseConfig } from '../../../src/server/config.ts'
import { nearestName } from '../../../src/server/nearest.ts'
import { isStaleConnection, originError } from '../../../src/server/origin-error.ts'
import { trailerFields } from '../../../src/server/trailer.ts'
import { isHandshake } from '../../../src/server/websocket.ts'

describe('trailer fields', () => {
  it("keep what is the body's own, drop what frames, routes, authenticates or controls", () => {
    const kept = trailerFields(
      Fields.fromRaw([
        'X-Sum',
        '1',
        'Content-Length',
        '5',
        'Set-Cookie',
        'a',
        'Host',
        'b',
        'X-Forwarded-For',
        'c',
        'Server-Timing',
        'd',
      ]),
    )

    expect(kept?.raw()).toEqual(['x-sum', '1', 'server-timing', 'd'])
    expect(trailerFields(Fields.fromRaw(['Host', 'b']))).toBeUndefined()
  })
})

describe('WebSocket handshake', () => {
  it('needs version 13 and a key of 16 bytes', () => {
    expect(isHandshake('dGhlIHNhbXBsZSBub25jZQ==', '13')).toBe(true)
    expect(isHandshake('dGhlIHNhbXBsZSBub25jZQ==', '8')).toBe(false)
    expect(isHandshake('dGhlIHNhbXBsZSBub25jZQ', '13')).toBe(false)
    expect(isHandshake('', '13')).toBe(false)
  })
})

describe('nearest name', () => {
  const KNOWN = ['connectTimeout', 'headTimeout', 'keepAlive', 'url', 'connections']

  it.each([
    ['conectTimeout', 'connectTimeout'],
    ['keepalive', 'keepAlive'],
    ['ulr', 'url'],
    ['conections', 'connections'],
    ['hedTimeout', 'headTimeout'],
  ])('takes %s for %s', (given, name) => {
    expect(nearestName(given, KNOWN)).toBe(name)
  })

  it('says nothing where nothing is near', () => {
    expect(nearestName('password', KNOWN)).toBeUndefined()
    expect(nearestName('x', [])).toBeUndefined()
  })
})

describe('changed sections', () => {
  it('names what differs, and looks into api', () => {
    const before = parseConfig({ values: { origin: { url: 'http://a' } } })
    const after = parseConfig({
      values: {
        origin: { url: 'http://b' },
        api: { keys: ['a-key-of-sixteen-letters'] },
        routes: [{ name: 'a', match: { path: '/a' } }],
      },
    })

    expect(changedSections(before, after).sort()).toEqual(['api.keys', 'origin', 'routes'])
    expect(changedSections(before, before)).toEqual([])
  })
})

describe('errors of origins', () => {
  const LIMITS = { connectMs: 1, bodyIdleMs: 2 }
  const coded = (code: string, more = {}): Error => Object.assign(new Error(code), { code, ...more })

  it.each([
    ['UND_ERR_CONNECT_TIMEOUT', 'unsent', 'FC_ORIGIN_TIMEOUT'],
    ['UND_ERR_BODY_TIMEOUT', 'answering', 'FC_ORIGIN_TIMEOUT'],
    ['ECONNREFUSED', 'unsent', 'FC_ORIGIN_REFUSED'],
    ['ENOTFOUND', 'unsent', 'FC_ORIGIN_REFUSED'],
    ['ECONNRESET', 'sent', 'FC_ORIGIN_BROKEN'],
    ['HPE_INVALID_CONSTANT', 'sent', 'FC_ORIGIN_BROKEN'],
    ['UND_ERR_INVALID_ARG', 'unsent', 'FC_REQUEST_BAD'],
  ] as const)('say %s, %s, as %s', (code, stage, ours) => {
    expect(originError(coded(code), stage, LIMITS)).toMatchObject({ code: ours })
  })

  it('look into all addresses of a host', () => {
    expect(originError(new AggregateError([coded('ECONNREFUSED')]), 'unsent', LIMITS).message).toContain('ECONNREFUSED')
  })

  it('tell a stale connection from a broken one by what it had brought', () => {
    expect(isStaleConnection(coded('ECONNRESET', { socket: { bytesRead: 10 } }))).toBe(true)
    expect(isStaleConnection(coded('ECONNRESET', { socket: { bytesRead: 0 } }))).toBe(false)
    expect(isStaleConnection(coded('ECONNRESET'))).toBe(false)
    expect(isStaleConnection(coded('HPE_INVALID_CONSTANT', { socket: { bytesRead: 10 } }))).toBe(false)
  })
})
