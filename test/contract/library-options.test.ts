/**
 * The library from outside: whatever it is given, it answers with a result or with a ForecacheError whose code stands in
 * the catalogue, never with an accident, and nothing escapes as an unhandled rejection.
 */
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createCache, digestKey, ForecacheError, normalizeKey } from '../../src/entry/index.ts'
import { createVirtualClock, settle } from '../../src/entry/testing.ts'
import { ERROR_CATALOGUE } from '../../src/model/errors.ts'

const SEED = Number(process.env['FORECACHE_SEED'] ?? 20_261_121)
const escaped: unknown[] = []
const note = (error: unknown): void => void escaped.push(error)

beforeEach(() => void process.on('unhandledRejection', note))
afterEach(async () => {
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', note)
  expect(escaped.splice(0)).toEqual([])
})

/** What the run said: undefined when it answered, the code when it refused; any other failure is thrown. */
async function codeOf(run: () => unknown): Promise<string | undefined> {
  try {
    await run()
    return undefined
  } catch (error) {
    if (error instanceof ForecacheError && Object.hasOwn(ERROR_CATALOGUE, error.code)) return error.code
    throw error
  }
}

const odd = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    undefined,
    true,
    false,
    0,
    -1,
    -0,
    1.5,
    Number.NaN,
    Infinity,
    Number.MAX_SAFE_INTEGER,
    Number.MAX_VALUE,
  ),
  fc.constantFrom<unknown>(
    '',
    ' ',
    '\0',
    '1s',
    '64KiB',
    '1e999',
    'freeze',
    '__proto__',
    '💥',
    '\ud800',
    5n,
    Symbol('s'),
    () => 1,
  ),
  fc.constantFrom<unknown>(
    [],
    {},
    [1],
    { fresh: '1s' },
    { fresh: Symbol('x') },
    new Date(Number.NaN),
    new Map(),
    AbortSignal.abort(),
  ),
  fc.constantFrom<unknown>(
    { aborted: false },
    Object.create(null),
    JSON.parse('{"__proto__":1}'),
    { length: 3 },
    [null],
    [{}],
    [Symbol('x')],
  ),
)
const objectOf = (...names: string[]) =>
  fc.dictionary(fc.constantFrom(...names, '__proto__', 'constructor', 'nope'), odd, { maxKeys: 4 })
const oddOr = <T>(arbitrary: fc.Arbitrary<T>) => fc.oneof({ weight: 1, arbitrary: odd }, { weight: 6, arbitrary })
// oxlint-disable-next-line no-explicit-any -- what the types forbid is what is tried
const check = (name: string, given: fc.Arbitrary<unknown>, run: (given: any) => unknown) =>
  it(`${name}: an answer or a code of the catalogue (FORECACHE_SEED=${SEED})`, async () => {
    await fc.assert(
      fc.asyncProperty(given, async (one) => void (await codeOf(() => run(one)))),
      { seed: SEED, numRuns: 400 },
    )
  })

describe('library: fuzzed options', () => {
  const cache = createCache({ clock: createVirtualClock(), deadlines: { hard: 5, maxLoad: 5 } })
  let key = 0
  const call = oddOr(objectOf('budget', 'context', 'tags', 'skip', 'negative', 'jitter', 'end', 'soft', 'hard'))
  check(
    'createCache',
    oddOr(
      objectOf(
        'memory',
        'budget',
        'contexts',
        'negative',
        'jitter',
        'deadlines',
        'backoff',
        'flights',
        'refresh',
        'values',
        'events',
        'originLag',
        'clock',
        'random',
        'logger',
      ),
    ),
    (given) => createCache(given).close(),
  )
  check('memory', objectOf('maxBytes', 'maxEntries', 'maxEntryBytes', 'policy'), (memory) =>
    createCache({ memory } as never).close(),
  )
  check('fetch', call, (given) => cache.fetch(`k${key++}`, given, () => 1))
  check('fetch with a key and a loader of any kind', fc.tuple(odd, odd), ([name, load]) =>
    Promise.race([cache.fetch(name, load), settle()]),
  )
  check('set', fc.tuple(oddOr(fc.string()), odd, call), ([name, value, given]) => cache.set(name, value, given))
  check('get', fc.tuple(oddOr(fc.string()), call), ([name, given]) => cache.get(name, given))
  check('begin and keep', call, (given) => cache.begin('hand').keep(1, given))
  check('getMany', fc.tuple(oddOr(fc.array(fc.string())), call, odd), ([keys, given, load]) =>
    cache.getMany(keys, given, typeof load === 'function' ? load : () => load as never),
  )
  check(
    'invalidate',
    oddOr(objectOf('keys', 'tags', 'prefixes', 'urls', 'namespaces', 'events', 'all', 'soft', 'dryRun', 'source')),
    (given) => cache.invalidate(given),
  )
  check('namespace', fc.tuple(oddOr(fc.constantFrom('a', 'b')), odd), ([name, given]) => cache.namespace(name, given))
  check('on', fc.tuple(oddOr(fc.constantFrom('lookup:hit')), odd), ([name, listener]) => cache.on(name, listener)())
  check(
    'normalizeKey',
    oddOr(objectOf('route', 'params', 'authTier', 'locale', 'flags', 'cookies', 'headers', 'defaults', 'namespace', 'version')),
    (given) => normalizeKey(given),
  )
  check('digestKey', oddOr(objectOf('namespace', 'version', 'value', 'unordered', 'ignoreCase', 'digits')), (given) =>
    digestKey(given),
  )
  check(
    'what a loader says',
    fc.tuple(fc.constantFrom('setBudget', 'setEnd', 'tag', 'skip', 'notModified'), odd),
    ([say, given]) =>
      cache.fetch(`k${key++}`, (context) => (context as unknown as Record<string, (given: unknown) => unknown>)[say]?.(given)),
  )
})

describe('library: refusals that would otherwise hurt', () => {
  it('refuses a signal that is none, instead of failing later and unheard', async () => {
    const cache = createCache()
    for (const signal of [{}, 5, null]) {
      expect(await codeOf(() => cache.fetch('k', { signal: signal as never }, () => 1))).toBe('FC_OPTION_TYPE')
    }
  })

  it('refuses flags of an invalidation that are no booleans: dryRun "yes" must not invalidate', async () => {
    const cache = createCache()
    await cache.set('k', 1)
    for (const flag of ['dryRun', 'soft', 'all']) {
      expect(await codeOf(() => cache.invalidate({ keys: ['k'], [flag]: 'yes' } as never)), flag).toBe('FC_OPTION_TYPE')
    }
    expect(cache.peek('k')).toBe(1)
  })

  it('refuses a logger that lacks methods, and outlives one that throws', async () => {
    expect(await codeOf(() => createCache({ logger: {} as never }))).toBe('FC_OPTION_VALUE')
    const clock = createVirtualClock()
    const fail = (): never => {
      throw new Error('logger')
    }
    const cache = createCache({ clock, logger: { debug: fail, info: fail, warn: fail, error: fail } })
    cache.on('lookup:stale', fail)
    cache.on('lookup:stale', async () => fail())
    await cache.set('k', 1, { budget: { fresh: 1, stale: 100 } })
    clock.advance(5)
    expect((await cache.fetch('k', { budget: { fresh: 1, stale: 100 } }, fail)).data).toBe(1)
    await settle()
  })

  it('refuses key parts that have no members of their own: all of them would make one key', async () => {
    for (const params of [new Map([['a', 1]]), new URLSearchParams('a=1'), new Headers({ a: '1' }), 5, [1]]) {
      expect(await codeOf(() => normalizeKey({ route: 'r', params: params as never }))).toBe('FC_OPTION_TYPE')
    }
    expect(await codeOf(() => normalizeKey({ route: 'r', flags: new Set(['a']) as never }))).toBe('FC_OPTION_TYPE')
    expect(await codeOf(() => normalizeKey({ route: 'r', namespace: 'n', version: -1 }))).toBe('FC_OPTION_TYPE')
  })

  it('spells defaults of a digest as it spells values', () => {
    const how = {
      namespace: 'quote',
      version: 2,
      ignoreCase: ['currency'],
      unordered: ['promos'],
      defaults: { currency: 'USD', promos: ['a', 'b'] },
    }
    expect(digestKey({ ...how, value: { currency: 'usd', promos: ['b', 'a'] } })).toBe(digestKey({ ...how, value: {} }))
    expect(digestKey({ ...how, value: { currency: 'EUR' } })).not.toBe(digestKey({ ...how, value: {} }))
  })

  it('takes names that objects have anyway as names', async () => {
    const cache = createCache({ contexts: { ['__proto__']: '1s' }, events: { constructor: ['c:{toString}'] } })
    for (const name of ['__proto__', 'constructor', 'toString', '\0', ' ', '💥', '\ud800', 'x'.repeat(16_384)]) {
      await cache.set(name, name)
      expect(cache.peek(name)).toBe(name)
    }
    await cache.set('k', 1, { tags: ['__proto__'] })
    expect((await cache.invalidate({ tags: ['__proto__'] })).matched).toBe(1)
    expect(await codeOf(() => cache.invalidate({ events: [{ type: 'constructor' }] }))).toBe('FC_OPTION_VALUE')
    expect(await codeOf(() => cache.fetch('c', { context: 'constructor' }, () => 1))).toBe('FC_OPTION_VALUE')
    const many = await cache.namespace('many').getMany<unknown>(['__proto__', 'hasOwnProperty'], {}, () => ({}))
    expect([...many.values()].map((one) => one.data)).toEqual([undefined, undefined])
    expect(cache.namespace('__proto__').bump()).toBe(2)
  })
})
