/** The gateway as a process: ready, reload with roll-back, drain, end. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { runCliProcess } from '../support/cli-process.ts'
import { originHere } from '../support/gateway-here.ts'
import { spawnGateway } from '../support/gateway-spawn.ts'
import { RawClient } from '../support/raw-client.ts'

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'forecache-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

const plain = (body: string) => originHere((_, response) => void response.setHeader('cache-control', 'no-store').end(body))

describe('gateway process: start', () => {
  it('prints one ready line with the ports it really has, and is ready then', async () => {
    const gateway = await spawnGateway(['--origin', await plain('hello')])

    expect(gateway.ready).toEqual({
      msg: 'ready',
      listen: `127.0.0.1:${gateway.port}`,
      api: `127.0.0.1:${gateway.apiPort}`,
      resp: null,
    })
    expect((await new RawClient(gateway.port).ask('GET /').answer()).text).toBe('hello')
    expect((await fetch(`http://127.0.0.1:${gateway.apiPort}/livez`)).status).toBe(200)
    expect((await fetch(`http://127.0.0.1:${gateway.apiPort}/readyz`)).status).toBe(200)
  })

  it('refuses an api port beyond loopback without keys, and takes it with them', async () => {
    const origin = await plain('x')
    const refused = await runCliProcess(['serve', '--origin', origin, '--listen', '127.0.0.1:0', '--api', '0.0.0.0:0'])

    expect(refused.code).not.toBe(0)
    expect(refused.err).toContain('FC_LISTEN_EXPOSED')
    expect(
      (await spawnGateway(['--origin', origin, '--api', '0.0.0.0:0', '--api-key', 'a-key-of-sixteen-letters'])).port,
    ).toBeGreaterThan(0)
    expect((await spawnGateway(['--origin', origin, '--api', '0.0.0.0:0', '--insecure'])).port).toBeGreaterThan(0)
  })

  it('names line and column of a mistake and does not start', async () => {
    const file = join(folder(), 'forecache.yaml')
    writeFileSync(file, 'origin:\n  url: http://127.0.0.1:1\n  conectTimeout: 5s\n')

    const { code, err } = await runCliProcess(['serve', file])

    expect(code).not.toBe(0)
    expect(err).toContain(`${file}:3:3: origin.conectTimeout: unknown name; did you mean connectTimeout?`)
  })
})

describe('gateway process: reload', () => {
  it('takes a changed file, keeps the running one when it is wrong, and loses no request', async () => {
    const [first, second] = [await plain('first'), await plain('second')]
    const file = join(folder(), 'forecache.yaml')
    writeFileSync(file, `origin: { url: "${first}" }\n`)
    const gateway = await spawnGateway([file])
    const ask = async (): Promise<string> => (await new RawClient(gateway.port).ask('GET /').answer()).text
    expect(await ask()).toBe('first')

    writeFileSync(file, `origin: { url: "${second}" }\nlimts: {}\n`)
    const refused = await gateway.logged('configuration refused')
    expect(refused.reason).toContain(`${file}:2:1: limts: unknown name; did you mean limits?`)
    expect(await ask()).toBe('first')

    writeFileSync(`${file}.new`, `origin: { url: "${second}" }\n`)
    renameSync(`${file}.new`, file)
    await gateway.logged('configuration reloaded')
    expect(await ask()).toBe('second')
  })

  it('serves nothing that was stored under former rules', async () => {
    const storable = (body: string) =>
      originHere((_, response) => void response.setHeader('cache-control', 'max-age=600').end(body))
    const [first, second] = [await storable('first'), await storable('second')]
    const file = join(folder(), 'forecache.yaml')
    writeFileSync(file, `origin: { url: "${first}" }\n`)
    const gateway = await spawnGateway([file])
    const ask = async () => {
      const answer = await new RawClient(gateway.port).ask('GET /').answer()
      return `${answer.get('x-cache')} ${answer.text}`
    }
    expect([await ask(), await ask()]).toEqual(['MISS first', 'HIT first'])

    writeFileSync(file, `origin: { url: "${second}" }\n`)
    await gateway.logged('configuration reloaded')

    expect([await ask(), await ask()]).toEqual(['MISS second', 'HIT second'])
  })

  it('reloads on SIGHUP and says what takes a restart', async () => {
    const origin = await plain('x')
    const file = join(folder(), 'forecache.yaml')
    writeFileSync(file, `origin: { url: "${origin}" }\n`)
    const gateway = await spawnGateway([file])
    writeFileSync(file, `origin: { url: "${origin}" }\nmemory: { maxBytes: 1MiB }\nheaders: { latency: on }\n`)

    gateway.signal('SIGHUP')

    expect((await gateway.logged('take a restart')).restart).toEqual(['memory'])
    expect((await gateway.logged('configuration reloaded')).applied).toEqual(['headers'])
    const answer = await new RawClient(gateway.port).ask('GET /').answer()
    expect(Number(answer.get('x-cache-latency'))).toBeGreaterThan(0)
  })

  it('takes new API keys at once', async () => {
    const file = join(folder(), 'forecache.yaml')
    const origin = await plain('x')
    writeFileSync(file, `origin: { url: "${origin}" }\napi: { keys: [the-former-key-0001] }\n`)
    const gateway = await spawnGateway([file])
    const status = async (key: string): Promise<number> =>
      (await fetch(`http://127.0.0.1:${gateway.apiPort}/v1/stats`, { headers: { 'x-api-key': key } })).status
    expect(await status('the-former-key-0001')).toBe(200)

    writeFileSync(file, `origin: { url: "${origin}" }\napi: { keys: [the-later-key-00002] }\n`)
    await gateway.logged('configuration reloaded')

    expect(await status('the-former-key-0001')).toBe(401)
    expect(await status('the-later-key-00002')).toBe(200)
  })
})

describe('gateway process: end', () => {
  it('finishes what is under way, takes nothing new, says so on /readyz, and ends with 0', async () => {
    const origin = await originHere(async (_, response) => {
      await pause(600)
      response.setHeader('cache-control', 'no-store').end('late')
    })
    const gateway = await spawnGateway(['--origin', origin])
    const client = new RawClient(gateway.port).ask('GET /')
    const idle = new RawClient(gateway.port)
    await pause(200)

    gateway.signal('SIGTERM')
    await gateway.logged('draining')
    const ready = await fetch(`http://127.0.0.1:${gateway.apiPort}/readyz`)
    const late = await new RawClient(gateway.port)
      .ask('GET /')
      .answer()
      .catch(() => 'refused')
    const answer = await client.answer()

    expect(ready.status).toBe(503)
    expect(late).toBe('refused')
    expect(answer.text).toBe('late')
    expect(answer.get('connection')?.toLowerCase()).toBe('close')
    expect(await idle.rest()).toBe('')
    expect((await gateway.ended).code).toBe(0)
  })

  it('does not wait longer than its deadline', async () => {
    const file = join(folder(), 'forecache.yaml')
    writeFileSync(file, `origin: { url: "${await originHere(() => {})}" }\nlimits: { drain: 300ms }\n`)
    const gateway = await spawnGateway([file])
    const client = new RawClient(gateway.port).ask('GET /')
    await pause(100)
    const startedAt = Date.now()

    gateway.signal('SIGTERM')

    expect((await gateway.ended).code).toBe(0)
    expect(Date.now() - startedAt).toBeLessThan(5000)
    expect(await client.rest()).toBe('')
  })

  it('ends at once on a second signal', async () => {
    const gateway = await spawnGateway(['--origin', await originHere(() => {})])
    new RawClient(gateway.port).ask('GET /')
    await pause(100)
    const startedAt = Date.now()

    gateway.signal('SIGTERM')
    await gateway.logged('draining')
    gateway.signal('SIGTERM')

    expect((await gateway.ended).code).toBe(1)
    expect(Date.now() - startedAt).toBeLessThan(5000)
  })
})
