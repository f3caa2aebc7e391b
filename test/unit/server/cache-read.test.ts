/** The one synchronous read that every way in shares. */
import fc from 'fast-check'
import FindMyWay from 'find-my-way'
import { describe, expect, it } from 'vitest'
import { type Cache, createCache } from '../../../src/flow/cache.ts'
import type { CacheOptions } from '../../../src/flow/options.ts'
import { Contents } from '../../../src/flow/contents.ts'
import { createVirtualClock, type VirtualClock } from '../../../src/model/virtual-clock.ts'
import { contentFields, type ContentAnswer, failedCondition, keyOfPath, readContent } from '../../../src/server/cache-read.ts'

interface Stage {
  readonly clock: VirtualClock
  readonly cache: Cache
  readonly contents: Contents
}

const K = { key: 'k', namespace: 0 }

async function setStage(options: CacheOptions = {}): Promise<Stage> {
  const clock = createVirtualClock()
  const cache = createCache({ clock, ...options })
  const encode = async (body: Uint8Array) => new Map([['gzip', Buffer.from(`gz${body.byteLength}`)]])
  const contents = new Contents({ cache, encode, route: 'cache-api', maxNamespaces: 3 })
  contents.put(K, {
    type: 'text/plain',
    body: Buffer.from('value'),
    budget: { freshMs: 1000, staleMs: 2000, onErrorMs: 4000 },
    tags: ['t'],
  })
  for (let i = 0; i < 5; i += 1) await undefined
  return { clock, cache, contents }
}

function answered(given: ReturnType<typeof readContent>): ContentAnswer {
  if (typeof given === 'string') throw new Error(given)
  return given
}

describe('reading a content', () => {
  it('answers in the coding that is asked for, with a tag of its own', async () => {
    const { contents } = await setStage()
    const plain = answered(readContent(contents, K, {}))
    const coded = answered(readContent(contents, K, { acceptEncoding: 'gzip' }))

    expect(plain).toMatchObject({ status: 200, cache: 'HIT', form: { coding: 'identity' } })
    expect(Buffer.from(coded.form.body).toString()).toBe('gz5')
    expect(coded.etag).toBe(plain.etag.replace(/"$/, '-gzip"'))
    expect(readContent(contents, K, { acceptEncoding: 'identity;q=0' })).toBe('coding')
  })

  it('is seen by the audit, also when it is stale or beyond', async () => {
    const { cache, clock, contents } = await setStage({ audit: { share: 1, perSecond: 1000 } })
    const checks = (): number[] => {
      const { auditInconclusive, auditViolating } = cache.stats().counts
      return [auditInconclusive ?? 0, auditViolating ?? 0]
    }
    readContent(contents, K, {})
    clock.advance(1500)
    readContent(contents, K, {})
    clock.advance(1000)
    expect(answered(readContent(contents, K, { maxStaleMs: 1000 })).cache).toBe('STALE')
    expect(checks()).toEqual([3, 0])

    const standing = cache.engine.memory.look('k')
    cache.engine.fence.admits = () => true
    cache.engine.invalidate({ keys: ['k'], source: 'api' })
    if (cache.engine.memory.look('k') === undefined) {
      const reading = { ...cache.engine.begin('k'), asOf: standing?.asOf ?? 0 }
      const budget = { freshMs: 9000, staleMs: 9000, onErrorMs: 9000 }
      cache.engine.keep(reading, { value: standing?.value, bytes: 1, budget })
    }
    answered(readContent(contents, K, {}))

    expect(checks()).toEqual([3, 1])
  })

  it('says 304 for any of its tags, weak or strong, and names the one that matched', async () => {
    const { contents } = await setStage()
    const { etag } = answered(readContent(contents, K, {}))
    const coded = etag.replace(/"$/, '-gzip"')

    for (const [ifNoneMatch, told] of [
      [etag, etag],
      [`W/${etag}`, etag],
      [`"x", ${coded}`, coded],
      ['*', etag],
    ] as const)
      expect(answered(readContent(contents, K, { ifNoneMatch }))).toMatchObject({ status: 304, etag: told })
    expect(answered(readContent(contents, K, { ifNoneMatch: '"x"' })).status).toBe(200)
  })

  it('serves stale values inside their stale window, and further only to who says max-stale', async () => {
    const { clock, contents } = await setStage()
    clock.advance(1500)
    expect(answered(readContent(contents, K, {}))).toMatchObject({ cache: 'STALE', ageMs: 1500, leftMs: -500 })
    clock.advance(1000)
    expect(readContent(contents, K, {})).toBe('absent')
    expect(readContent(contents, K, { maxStaleMs: 400 })).toBe('absent')
    expect(answered(readContent(contents, K, { maxStaleMs: 600 })).cache).toBe('STALE')
    clock.advance(2000)
    expect(readContent(contents, K, { maxStaleMs: Number.POSITIVE_INFINITY })).toBe('absent')
  })

  it('answers nothing to a token this log cannot vouch for', async () => {
    const { contents, cache } = await setStage()
    const token = cache.engine.token()
    const [generation, position] = token.split('.') as [string, string]

    expect(answered(readContent(contents, K, { token })).status).toBe(200)
    for (const other of [`${generation}.${Number(position) + 1}`, `other.${position}`, 'nonsense', '', `${generation}.x`])
      expect(readContent(contents, K, { token: other })).toBe('token')
  })

  it('counts hits and stale serves under its own route', async () => {
    const { clock, contents, cache } = await setStage()
    const { meter } = cache.engine
    readContent(contents, K, {})
    clock.advance(1500)
    readContent(contents, K, { ifNoneMatch: '*' })
    clock.advance(1000)
    readContent(contents, K, { maxStaleMs: 5000 })

    expect(meter.totals(contents.route)).toMatchObject({ hits: 1, staleServes: 1, reserveServes: 1 })
  })

  it('lays out the same fields for GET and 304, without those of the body', async () => {
    const { contents } = await setStage()
    const whole = contentFields(answered(readContent(contents, K, { acceptEncoding: 'gzip' })))
    const unchanged = contentFields(answered(readContent(contents, K, { acceptEncoding: 'gzip', ifNoneMatch: '*' })))

    expect(whole.slice(0, 4)).toEqual(['content-type', 'text/plain', 'content-encoding', 'gzip'])
    expect(unchanged).toEqual(whole.slice(4))
    expect(whole.join('\n')).toContain("default-src 'none'; sandbox")
  })
})

describe('conditions of a write', () => {
  it.each([
    [{ ifNoneMatch: '*' }, true, 'If-None-Match'],
    [{ ifNoneMatch: '*' }, false, undefined],
    [{ ifMatch: '*' }, true, undefined],
    [{ ifMatch: '*' }, false, 'If-Match'],
    [{ ifMatch: '"x"' }, true, 'If-Match'],
    [{ ifNoneMatch: '"x"' }, true, undefined],
    [{}, true, undefined],
  ])('%j where something stands (%s): %s', (given, stands, failed) => {
    expect(failedCondition(given, stands, () => undefined)).toBe(failed)
  })

  it('compares If-Match strongly and If-None-Match weakly', async () => {
    const { contents } = await setStage()
    const content = contents.find(K)?.content
    const etag = content?.identity.etag as string

    expect(failedCondition({ ifMatch: `"a", ${etag}` }, true, () => content)).toBeUndefined()
    expect(failedCondition({ ifMatch: `W/${etag}` }, true, () => content)).toBe('If-Match')
    expect(failedCondition({ ifNoneMatch: `W/${etag}` }, true, () => content)).toBe('If-None-Match')
  })
})

describe('keys in paths', () => {
  const router = FindMyWay({ caseSensitive: true, maxParamLength: 8192 })
  router.on('GET', '/cache/:key', () => {})

  it('are read as the router reads them, whatever they hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }), (key) => {
        if (!key.isWellFormed()) return
        const path = `/cache/${encodeURIComponent(key)}`
        const read = keyOfPath(path)
        if (/^https?:\/\//.test(key)) expect(read).toBeUndefined()
        else expect(read).toBe(key)
        expect(router.find('GET', path)?.params['key']).toBe(key)
      }),
      { numRuns: 2000 },
    )
  })

  it('agree with the router on any path that both read', () => {
    const part = fc.constantFrom(
      'a',
      '%2F',
      '%25',
      '%',
      '%zz',
      '%c3%a9',
      '%C3',
      '/',
      ';',
      '+',
      '.',
      '..',
      '~',
      '%3F',
      '%23',
      '%00',
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
        const path = `/cache/${parts.join('')}`
        const read = keyOfPath(path)
        if (read !== undefined) expect(router.find('GET', path)?.params['key']).toBe(read)
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    ['/cache/'],
    ['/cache'],
    ['/cachex/a'],
    ['/cache/a/b'],
    ['/cache/%'],
    ['/cache/%ff'],
    ['/cache/http:%2F%2Fa'],
    ['/v1/stats'],
    ['/cache/k?x=1'],
    ['/cache/k?'],
  ])('leave %s to the full endpoint', (path) => {
    expect(keyOfPath(path)).toBeUndefined()
  })
})
