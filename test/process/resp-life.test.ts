/**
 * The Redis door as part of the command: flags, ready line, numbers, workers, the end.
 */
import { describe, expect, it, onTestFinished } from 'vitest'
import { createGateway } from '../../src/entry/gateway.ts'
import { startCli } from '../support/cli-process.ts'
import { RawRedis, request } from '../support/front-here.ts'
import { originHere } from '../support/gateway-here.ts'
import { spawnGateway } from '../support/gateway-spawn.ts'
import { type RedisHere, startRedis, until } from '../support/redis-here.ts'

const RESP = ['--resp', '127.0.0.1:0']

async function redisHere(): Promise<RedisHere> {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  return redis
}

function portIn(address: unknown): number {
  return Number(String(address).split(':').at(-1))
}

describe('the Redis door as a command', () => {
  it('says where it listens, alone and beside an HTTP front', async () => {
    const redis = await redisHere()
    const origin = await originHere((_, response) => response.end('from the origin'))

    const alone = await spawnGateway([...RESP, '--upstream', redis.url])
    const both = await spawnGateway([...RESP, '--upstream', redis.url, '--origin', origin])

    expect(alone.ready).toEqual({
      msg: 'ready',
      listen: null,
      api: expect.any(String),
      resp: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    })
    expect(both.ready.listen).toMatch(/^127\.0\.0\.1:\d+$/)
    expect(await (await fetch(`http://127.0.0.1:${both.port}/`)).text()).toBe('from the origin')
    for (const { ready } of [alone, both]) {
      const client = new RawRedis(portIn(ready.resp))
      expect(await client.ask('PING')).toBe('+PONG\r\n')
      client.close()
    }
  })

  it('counts what happens at it', async () => {
    const redis = await redisHere()
    const front = await spawnGateway([...RESP, '--upstream', redis.url])
    await front.logged('tells of every change')
    const client = new RawRedis(portIn(front.ready.resp))
    await client.ask('SET', 'k', 'v')
    for (let i = 0; i < 10; i += 1) await client.ask('GET', 'k')

    const metrics = await (await fetch(`http://127.0.0.1:${front.apiPort}/metrics`)).text()
    const stats = (await (await fetch(`http://127.0.0.1:${front.apiPort}/v1/stats`)).json()) as { counts: Record<string, number> }

    const hits = Number(/forecache_resp_commands_total\{class="hit"\} (\d+)/.exec(metrics)?.[1])
    expect(hits).toBeGreaterThanOrEqual(7)
    expect(stats.counts['respHits']).toBe(hits)
    expect(stats.counts['respWrites']).toBe(1)
    expect(metrics).toContain('forecache_resp_clients 1\n')
    expect(metrics).toContain('forecache_resp_tracking_up 1\n')
    expect(metrics).toMatch(/forecache_resp_entries 1\n/)
    client.close()
  })

  it('lets those go who are owed nothing, and waits for the others', async () => {
    const redis = await redisHere()
    const front = await spawnGateway([...RESP, '--upstream', redis.url])
    const [idle, waiting] = [new RawRedis(portIn(front.ready.resp)), new RawRedis(portIn(front.ready.resp))]
    await Promise.all([idle.ask('PING'), waiting.ask('PING')])
    waiting.send(request('BLPOP', 'queue', '0'))
    await until(async () => String(await redis.command('INFO', 'clients')).includes('blocked_clients:1'), 'the wait')

    front.signal('SIGTERM')
    await idle.rest()
    await redis.command('RPUSH', 'queue', 'job')

    expect(await waiting.rest()).toBe('*2\r\n$5\r\nqueue\r\n$3\r\njob\r\n')
    expect((await front.ended).code).toBe(0)
  })

  it('is one for all workers', async () => {
    const redis = await redisHere()
    const origin = await originHere((_, response) => response.end('from the origin'))
    const front = await spawnGateway([...RESP, '--upstream', redis.url, '--origin', origin, '--workers', '2'])
    await front.logged('tells of every change')
    const clients = Array.from({ length: 4 }, () => new RawRedis(portIn(front.ready.resp)))

    for (const [i, client] of clients.entries()) {
      expect(await client.ask('SET', 'k', `v${i}`)).toBe('+OK\r\n')
      for (const other of clients) expect(await other.ask('GET', 'k')).toBe(`$2\r\nv${i}\r\n`)
    }

    const metrics = await (await fetch(`http://127.0.0.1:${front.apiPort}/metrics`)).text()
    expect(metrics).toContain('forecache_resp_clients 4\n')
    front.signal('SIGTERM')
    expect((await front.ended).code).toBe(0)
  })

  it('keeps the data itself where there is no upstream', async () => {
    const running = startCli(['serve', '--api', '127.0.0.1:0', ...RESP])
    onTestFinished(() => void running.child.kill('SIGKILL'))
    const ready = JSON.parse(await running.line((line) => line.includes('"ready"'))) as { resp: string }
    const client = new RawRedis(portIn(ready.resp))

    expect(await client.ask('SET', 'k', 'v')).toBe('+OK\r\n')
    client.send(Buffer.concat([request('GET', 'k'), request('NOSUCH'), request('RPUSH', 'l', 'a'), request('BLPOP', 'l', '0')]))
    expect(await client.take(4)).toEqual([
      '$1\r\nv\r\n',
      "-ERR unknown command 'NOSUCH', with args beginning with: \r\n",
      ':1\r\n',
      '*2\r\n$1\r\nl\r\n$1\r\na\r\n',
    ])
    client.close()
  })

  it('cuts off who lets more replies wait than allowed, and nobody below', async () => {
    const gateway = createGateway({
      api: { listen: '127.0.0.1:0' },
      resp: { listen: '127.0.0.1:0', limits: { output: { hard: '32MiB', soft: '24MiB' } } },
    })
    const { resp } = await gateway.listen()
    onTestFinished(() => gateway.close(0))
    const [patient, greedy] = [new RawRedis(resp?.port as number), new RawRedis(resp?.port as number)]
    await patient.ask('SET', 'k', 'x'.repeat(1000))
    await greedy.ask('PING')

    for (const client of [patient, greedy]) client.socket.pause()
    patient.send(Buffer.concat(Array.from({ length: 10_000 }, () => request('GET', 'k'))))
    greedy.send(Buffer.concat(Array.from({ length: 100_000 }, () => request('GET', 'k'))))
    await until(() => gateway.cache.engine.meter.read('respOverflows') === 1, 'the cut')
    for (const client of [patient, greedy]) client.socket.resume()

    expect(await patient.take(10_000, 20_000)).toHaveLength(10_000)
    await greedy.rest()
    patient.close()
  })

  it('asks for the password where it keeps the data itself, and reads little before it came', async () => {
    const gateway = createGateway({ api: { listen: '127.0.0.1:0' }, resp: { listen: '127.0.0.1:0', password: 'right' } })
    const { resp } = await gateway.listen()
    onTestFinished(() => gateway.close(0))
    const [client, flood] = [new RawRedis(resp?.port as number), new RawRedis(resp?.port as number)]

    expect(await client.ask('GET', 'k')).toBe('-NOAUTH Authentication required.\r\n')
    expect(await client.ask('AUTH', 'wrong')).toMatch(/^-WRONGPASS/)
    expect(await client.ask('AUTH', 'right')).toBe('+OK\r\n')
    expect(await client.ask('SET', 'k', Buffer.alloc(100_000))).toBe('+OK\r\n')
    flood.send('*2\r\n$4\r\nAUTH\r\n$100000\r\n')
    expect(await flood.rest()).toBe('-ERR Protocol error: unauthenticated bulk length\r\n')
    client.close()
  })

  it.each([
    [['--resp', 'nowhere'], 2],
    [['--resp', '0.0.0.0:0'], 1],
    [['--resp', '127.0.0.1:0', '--upstream', 'http://127.0.0.1'], 1],
  ])('refuses %j', async (flags, code) => {
    const ended = await startCli(['serve', '--api', '127.0.0.1:0', ...flags]).ended

    expect(ended.code).toBe(code)
    expect(ended.err).toMatch(/resp/)
  })
})
