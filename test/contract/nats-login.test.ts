import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { type Cache, createCache } from '../../src/flow/cache.ts'
import { type NatsHere, startNats } from '../support/nats-here.ts'
import { createNkeyUser, createOperator, type Operator } from '../support/nats-keys.ts'
import { type RedisHere, startRedis, until } from '../support/redis-here.ts'

const LONG = { timeout: 60_000 }
const OPTIONS = { budget: '1m', tiers: ['memory'] } as const

let redis: RedisHere
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

let prefixes = 0

/** Machines that follow one log in that NATS. */
function machines(nats: NatsHere, credentials: string, count = 2): Cache[] {
  prefixes += 1
  const bus = { url: nats.url, blindAfter: 400, credentials }
  const caches = Array.from({ length: count }, () => createCache({ l2: { url: redis.url, prefix: `login${prefixes}:`, bus } }))
  onTestFinished(async () => void (await Promise.all(caches.map((cache) => cache.close()))))
  return caches
}

function sees({ engine }: Cache): boolean {
  return engine.shared?.isBlind === false
}

async function follow([a, b]: readonly Cache[]): Promise<void> {
  for (const cache of [a, b]) await until(() => sees(cache as Cache), 'the log to be in sight')
  let version = 1
  const read = async (): Promise<number> => (await (b as Cache).fetch('k', OPTIONS, async () => version)).data
  expect(await read()).toBe(1)
  version = 2
  await (a as Cache).invalidate({ keys: ['k'] })
  await until(async () => (await read()) === 2, 'the other one to follow')
}

function fileOf(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'forecache-creds-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'app.creds')
  writeFileSync(file, text)
  return file
}

describe('a log in a NATS that knows its users by nkeys', () => {
  const user = createNkeyUser()
  let nats: NatsHere
  beforeAll(async () => {
    nats = await startNats({ lines: [`authorization { users: [{ nkey: ${user.publicKey} }] }`], credentials: user.seed })
  })
  afterAll(() => nats.stop())

  it('is followed by who names the seed, or a file with it', LONG, async () => {
    await follow(machines(nats, user.seed))
    await follow(machines(nats, fileOf(`${user.seed}\n`)))
  })

  it('is out of sight for a key that it does not know', LONG, async () => {
    const [stranger] = machines(nats, createNkeyUser().seed, 1) as [Cache]

    await expect(until(() => sees(stranger), 'nothing', 1500)).rejects.toThrow('nothing')
    expect((await stranger.invalidate({ keys: ['k'] })).nodes.expected).toBe(2)
  })
})

describe('a log in a NATS that knows its users by JWT', () => {
  let nats: NatsHere
  let operator: Operator
  beforeAll(async () => {
    operator = createOperator()
    nats = await startNats({ lines: operator.lines, credentials: operator.user() })
  })
  afterAll(() => nats.stop())

  it('is followed by who names a .creds file, or its text', LONG, async () => {
    await follow(machines(nats, fileOf(operator.user())))
    await follow(machines(nats, operator.user().replaceAll('\n', '\r\n')))
  })

  it('is out of sight for a JWT of another operator', LONG, async () => {
    const [stranger] = machines(nats, createOperator().user(), 1) as [Cache]

    await expect(until(() => sees(stranger), 'nothing', 1500)).rejects.toThrow('nothing')
  })

  it('goes on when the JWT has ended and its file was written anew: it is read at each connection', LONG, async () => {
    const file = fileOf(operator.user(4))
    const caches = machines(nats, file)
    for (const cache of caches) await until(() => sees(cache), 'the log to be in sight')
    await until(() => caches.every((cache) => !sees(cache)), 'the JWT to end', 20_000)

    writeFileSync(file, operator.user())

    await follow(caches)
  })
})
