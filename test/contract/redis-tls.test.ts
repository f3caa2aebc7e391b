import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createCache } from '../../src/flow/cache.ts'
import type { CacheOptions } from '../../src/flow/options.ts'
import { systemClock } from '../../src/model/clock.ts'
import { parseRedisUrl } from '../../src/tier/redis-address.ts'
import type { RedisPort } from '../../src/tier/redis-port.ts'
import { createRedis } from '../../src/tier/redis.ts'
import { readTlsMaterial, type TlsOptions } from '../../src/tier/tls-material.ts'
import { type Certificate, makeCertificate } from '../support/certificate.ts'
import { startNats } from '../support/nats-here.ts'
import { type RedisHere, startCluster, startRedis, startSentinel, until } from '../support/redis-here.ts'

const authority = makeCertificate({ names: ['our authority'], authority: true })
const foreign = makeCertificate({ names: ['another authority'], authority: true })
const own = makeCertificate({ names: ['redis.internal', 'localhost', '127.0.0.1'], issuer: authority })
const visitor = makeCertificate({ names: ['an instance'], issuer: authority })
const stranger = makeCertificate({ names: ['somebody'], issuer: foreign })

const folder = mkdtempSync(join(tmpdir(), 'forecache-redis-tls-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

/** What a server is started with; clients must show a certificate of `our authority`. */
function secured(certificate: Certificate, name: string): { flags: string[]; files: { cert: string; key: string; ca: string } } {
  const files = {
    cert: file(`${name}.cert`, certificate.cert),
    key: file(`${name}.key`, certificate.key),
    ca: file('ca', authority.cert),
  }
  const flags = ['--tls-cert-file', files.cert, '--tls-key-file', files.key, '--tls-ca-cert-file', files.ca]
  return { flags: [...flags, '--tls-auth-clients', 'yes', '--tls-replication', 'yes', '--tls-cluster', 'yes'], files }
}

const { flags, files } = secured(own, 'own')
const GOOD: TlsOptions = { ca: authority.cert, cert: visitor.cert, key: visitor.key }
const secure = readTlsMaterial(GOOD, 'test')

function open(url: string, options: TlsOptions): RedisPort {
  const target = { ...parseRedisUrl(url), secure: readTlsMaterial(options, 'l2.tls') }
  const redis = createRedis({ target, clock: systemClock(), random: Math.random })
  onTestFinished(() => redis.close())
  return redis
}

/** Why it cannot be reached. */
async function reasonOf(redis: RedisPort): Promise<string> {
  expect(await redis.ready(700)).toBe(false)
  const error = await redis.call(['PING'], { deadlineMs: 500 }).catch((given: unknown) => given)
  expect(error).toMatchObject({ code: 'FC_L2_DOWN' })
  return String((error as Error).message)
}

describe('a Redis that speaks TLS alone', () => {
  let server: RedisHere
  beforeAll(async () => {
    server = await startRedis(flags, {}, secure)
  })
  afterAll(() => server.stop())

  it('is spoken to with an authority and a certificate of our own, from text and from files', async () => {
    const fromFiles = { ca: files.ca, cert: file('visitor.cert', visitor.cert), key: file('visitor.key', visitor.key) }
    for (const options of [GOOD, fromFiles]) {
      const redis = open(server.url, options)
      expect(await redis.ready(5000)).toBe(true)
      expect(await redis.call(['PING'], { deadlineMs: 1000 })).toBe('PONG')
      expect(await (await redis.session()).call(['PING'], 1000)).toBe('PONG')
    }
  })

  it.each([
    ['its certificate is of an authority nobody named', { cert: visitor.cert, key: visitor.key }, /certificate/i],
    ['its certificate is of another authority', { ...GOOD, ca: foreign.cert }, /certificate/i],
    ['its certificate bears another name', { ...GOOD, servername: 'elsewhere.internal' }, /elsewhere\.internal/],
    ['no certificate is shown to it', { ca: authority.cert }, /certificate required|alert|socket|closed/i],
    [
      'a certificate of another authority is shown to it',
      { ...GOOD, cert: stranger.cert, key: stranger.key },
      /unknown ca|alert|socket|closed/i,
    ],
  ])('is refused, or refuses, where %s', async (_, options, reason) => {
    expect(await reasonOf(open(server.url, options))).toMatch(reason)
  })

  it('is not spoken to in the clear', async () => {
    const reason = await reasonOf(open(server.url.replace('rediss:', 'redis:'), {}))
    expect(reason).not.toBe('')
  })

  it('is asked for by the name that its certificate bears', async () => {
    const redis = open(server.url, { ...GOOD, servername: 'redis.internal' })
    expect(await redis.ready(5000)).toBe(true)
  })

  it('is spoken to unproven only where that is said', async () => {
    const redis = open(server.url, { cert: visitor.cert, key: visitor.key, rejectUnauthorized: false })
    expect(await redis.ready(5000)).toBe(true)
  })

  it('carries a second level and its log', async () => {
    const [a, b] = [1, 2].map(() => createCache({ l2: { url: server.url, tls: GOOD as Tls, deadline: '1s' } }))
    if (a === undefined || b === undefined) throw new Error('two caches')
    onTestFinished(async () => void (await Promise.all([a.close(), b.close()])))
    for (const { engine } of [a, b]) await until(() => engine.shared?.isBlind === false && engine.second?.isUp === true, 'sight')
    await a.fetch('k', { budget: '1m', tags: ['t'] }, async () => 'old')
    await a.engine.second?.idle()
    expect((await b.fetch('k', { budget: '1m', tags: ['t'] }, async () => 'loaded')).data).toBe('old')
    await a.invalidate({ tags: ['t'] })
    await until(() => b.peek('k') === undefined, 'the other to follow')
  })
})

describe('a server that cannot be reached for its certificate', () => {
  it('is told of in the log with the reason, the log of invalidations too', { timeout: 20_000 }, async () => {
    const server = await startRedis(flags, {}, secure)
    onTestFinished(() => server.stop())
    const told: string[] = []
    const note = (detail: object, text = ''): void => {
      const { err } = detail as { err?: Error }
      told.push(`${text}: ${err?.message ?? ''}`)
    }
    const logger = { debug() {}, info() {}, warn: note, error: note }
    const cache = createCache({ l2: { url: server.url, tls: { ...GOOD, ca: foreign.cert } as Tls }, logger })
    onTestFinished(() => cache.close())

    await until(() => told.length >= 2, 'the word of it')

    expect(told.join('\n')).toMatch(/second level is out of reach: FC_L2_DOWN.*certificate/i)
    expect(told.join('\n')).toMatch(/shared log is out of reach: FC_L2_DOWN.*certificate/i)
  })
})

type Tls = NonNullable<NonNullable<CacheOptions['l2']>['tls']>

describe('several servers that speak TLS alone', () => {
  it('are a cluster like any other', { timeout: 60_000 }, async () => {
    const cluster = await startCluster(flags, secure)
    onTestFinished(() => cluster.stop())
    const redis = open(cluster.url, GOOD)
    expect(await redis.ready(10_000)).toBe(true)
    expect(redis.kind).toBe('cluster')
    for (let i = 0; i < 20; i += 1) {
      const key = `key:${i}`
      expect(await redis.call(['SET', key, String(i)], { deadlineMs: 1000, key })).toBe('OK')
      expect(String(await redis.call(['GET', key], { deadlineMs: 1000, key }))).toBe(String(i))
    }
  })

  it('are found through Sentinels that speak TLS too, also after a failover', { timeout: 60_000 }, async () => {
    const set = await startSentinel(flags, secure)
    onTestFinished(() => set.stop())
    const redis = open(set.url, GOOD)
    expect(await redis.ready(10_000)).toBe(true)
    await redis.call(['SET', 'k', 'v'], { deadlineMs: 1000 })
    const master = await set.master()
    await master.kill()
    await until(
      async () => {
        const reply = await redis.call(['ROLE'], { deadlineMs: 500 }).catch(() => [])
        return Array.isArray(reply) && String(reply[0]) === 'master'
      },
      'the replica to be master',
      30_000,
    )
  })
})

describe('options of TLS towards a second level', () => {
  const url = 'rediss://127.0.0.1:1'

  it.each([
    ['a file that is not there', { ca: join(folder, 'nowhere.pem') }, /FC_TLS_FILE.*l2\.tls\.ca.*nowhere\.pem/],
    [
      'text that is no certificate',
      { ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----' },
      /FC_TLS_PEM.*l2\.tls\.ca/,
    ],
    ['a key of another certificate', { cert: visitor.cert, key: stranger.key }, /FC_TLS_MISMATCH.*l2\.tls/],
    ['a certificate without its key', { cert: visitor.cert }, /FC_OPTION_VALUE.*l2\.tls.*cert and key/],
  ])('are refused at creation where they name %s', (_, tls, text) => {
    expect(() => createCache({ l2: { url, tls } })).toThrow(text)
  })

  it('are refused where nothing would be spoken over TLS', () => {
    expect(() => createCache({ l2: { url: 'redis://127.0.0.1:1', tls: GOOD as Tls } })).toThrow(/FC_OPTION_VALUE.*rediss:\/\//)
  })
})

describe('a NATS that speaks TLS alone', () => {
  it('carries the log for who shows a certificate, and for nobody else', { timeout: 30_000 }, async () => {
    const nats = await startNats({ tls: { ...files, verify: true }, login: { user: 'app', password: 'p@ss/word' } }, secure)
    const redis = await startRedis()
    onTestFinished(async () => void (await Promise.all([nats.stop(), redis.stop()])))
    const cacheWith = (tls: TlsOptions): ReturnType<typeof createCache> => {
      const cache = createCache({ l2: { url: redis.url, bus: { url: nats.url, tls: tls as Tls, blindAfter: 400 } } })
      onTestFinished(() => cache.close())
      return cache
    }
    const good = cacheWith(GOOD)
    const [bare, misled] = [cacheWith({ ca: authority.cert }), cacheWith({ ...GOOD, ca: foreign.cert })]
    await until(() => good.engine.shared?.isBlind === false, 'the log to be in sight')
    expect(bare.engine.shared?.generation).toBe('')
    expect(misled.engine.shared?.generation).toBe('')
  })
})
