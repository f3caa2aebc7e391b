/**
 * The front under stress: what clients may cost, what becomes of them when the upstream fails, and who gets in.
 */
import { connect, createServer, type Server } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createGateway } from '../../src/entry/gateway.ts'
import { frontBefore, RawRedis, request } from '../support/front-here.ts'
import { type RedisHere, startCluster, startRedis, until } from '../support/redis-here.ts'
import { CA, PAIR } from '../support/tls-stand.ts'

let redis: RedisHere
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.stop())

const MIB = 1024 * 1024

describe('front: what passes through', () => {
  it('streams large values both ways and keeps none of them', async () => {
    const front = await frontBefore(redis.url)
    const client = new RawRedis(front.port)
    const value = Buffer.alloc(40 * MIB, 'large ')

    expect(await client.ask('SET', 'large', value)).toBe('+OK\r\n')
    client.send(request('GET', 'large'))
    const [reply] = await client.take(1, 20_000)

    expect(reply?.length).toBe(value.length + `$${value.length}\r\n\r\n`.length)
    expect(await client.ask('STRLEN', 'large')).toBe(`:${value.length}\r\n`)
    client.close()
  })

  it('does not read from Redis what a client does not take', async () => {
    const front = await frontBefore(redis.url)
    await redis.command('SET', 'big', Buffer.alloc(8 * MIB, 'x'))
    const client = new RawRedis(front.port)
    await client.ask('PING')
    const before = process.memoryUsage().rss

    client.socket.pause()
    client.send(Buffer.concat(Array.from({ length: 40 }, () => request('GET', 'big'))))
    await new Promise((resolve) => setTimeout(resolve, 500))

    expect(process.memoryUsage().rss - before).toBeLessThan(100 * MIB)
    client.socket.resume()
    expect((await client.take(40, 30_000)).every((frame) => frame.length === 8 * MIB + 12)).toBe(true)
    client.close()
  })

  it.each([
    ['in memory', 'small', 100_000],
    ['that are passed on', 'other', 100_000],
  ])('takes a whole pipeline of replies %s before any is read', async (_, key, count) => {
    const front = await frontBefore(redis.url)
    const client = new RawRedis(front.port)
    await client.ask('SET', key, 'x'.repeat(200))
    if (key === 'small') for (let i = 0; i < 3; i += 1) await client.ask('GET', key)

    client.socket.pause()
    const sent = new Promise<void>((resolve) => {
      client.socket.write(Buffer.concat(Array.from({ length: count }, () => request('GET', key))), () => resolve())
    })
    await sent
    client.socket.resume()

    expect((await client.take(count, 30_000)).every((frame) => frame.length === 208)).toBe(true)
    client.close()
  })

  it('answers who has said all he has to say', async () => {
    const front = await frontBefore(redis.url)
    const client = new RawRedis(front.port)

    client.socket.end(Buffer.concat([request('SET', 'k', 'v'), request('GET', 'k')]))

    expect(await client.rest()).toBe('+OK\r\n$1\r\nv\r\n')
  })

  it('takes no more clients than allowed, in Redis’s words', async () => {
    const front = await frontBefore(redis.url, { limits: { clients: 2 } })
    const [one, two] = [new RawRedis(front.port), new RawRedis(front.port)]
    await Promise.all([one.ask('PING'), two.ask('PING')])
    const three = new RawRedis(front.port)

    expect(await three.rest()).toBe('-ERR max number of clients reached\r\n')
    one.close()
    await until(async () => (await new RawRedis(front.port).ask('PING')) === '+PONG\r\n', 'a place')
    two.close()
  })

  it('slows down who guesses passwords, and nobody else', async () => {
    const guarded = await startGuarded()
    const front = await frontBefore(`redis://:right@127.0.0.1:${guarded.port}`)
    const thief = new RawRedis(front.port)
    const began = performance.now()

    thief.send(Buffer.concat(Array.from({ length: 7 }, (_, i) => request('AUTH', `guess${i}`))))
    const replies = await thief.take(7, 20_000)

    expect(new Set(replies)).toEqual(new Set(['-WRONGPASS invalid username-password pair or user is disabled.\r\n']))
    expect(performance.now() - began).toBeGreaterThan(50 + 100 + 200 + 400 - 10)
    thief.close()
  })

  it('never shows from memory what somebody without a login may not see', async () => {
    const guarded = await startGuarded()
    const front = await frontBefore(`redis://:right@127.0.0.1:${guarded.port}`)
    const [owner, stranger] = [new RawRedis(front.port), new RawRedis(front.port)]
    await owner.ask('AUTH', 'right')
    await owner.ask('SET', 'k', 'secret')
    for (let i = 0; i < 3; i += 1) expect(await owner.ask('GET', 'k')).toBe('$6\r\nsecret\r\n')

    for (let i = 0; i < 3; i += 1) expect(await stranger.ask('GET', 'k')).toBe('-NOAUTH Authentication required.\r\n')
    await owner.ask('RESET')
    expect(await owner.ask('GET', 'k')).toBe('-NOAUTH Authentication required.\r\n')
    for (const one of [owner, stranger]) one.close()
  })
})

describe('front: when the upstream fails', () => {
  it('says so where it cannot be reached', async () => {
    const gone = await startRedis()
    const front = await frontBefore(gone.url)
    await gone.stop()
    const client = new RawRedis(front.port)

    client.send(request('GET', 'k'))

    expect(await client.rest()).toMatch(/^-ERR forecache: upstream redis:\/\/127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED/)
  })

  it('says so within the deadline where nobody answers', async () => {
    const silent: Server = createServer(() => undefined)
    const port = await new Promise<number>((resolve) => {
      silent.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => resolve((silent.address() as { port: number }).port))
    })
    onTestFinished(() => void silent.close())
    const gateway = createGateway({
      api: { listen: '127.0.0.1:0' },
      // A listener that accepts and does not speak TLS: the handshake never ends.
      resp: { listen: '127.0.0.1:0', upstream: `rediss://127.0.0.1:${port}`, limits: { connectTimeout: 300 } },
    })
    const { resp } = await gateway.listen()
    onTestFinished(() => gateway.close(0))
    const client = new RawRedis(resp?.port as number)

    client.send(request('GET', 'k'))

    expect(await client.rest(3000)).toContain('no connection within 300 ms')
  })

  it('ends its clients when the upstream ends, behind their last replies', async () => {
    const dying = await startRedis()
    const front = await frontBefore(dying.url)
    const client = new RawRedis(front.port)
    await client.ask('SET', 'k', 'v')

    client.send(request('GET', 'k'))
    await client.take(1)
    await dying.kill()

    expect(await client.rest()).toBe('')
    await dying.stop()
  })

  it('answers from memory no longer than the lease when the upstream is frozen, and goes on afterwards', async () => {
    const frozen = await startRedis()
    onTestFinished(() => frozen.stop())
    const front = await frontBefore(frozen.url, { maxStaleMs: 250 })
    const client = new RawRedis(front.port)
    await client.ask('SET', 'k', 'v')
    for (let i = 0; i < 5; i += 1) await client.ask('GET', 'k')

    frozen.freeze()
    const began = performance.now()
    let lastHit = 0
    client.send(request('GET', 'k'))
    for (;;) {
      const got = await client.take(1, 1000).catch(() => undefined)
      if (got === undefined) break
      lastHit = performance.now() - began
      client.send(request('GET', 'k'))
    }
    frozen.thaw()

    expect(lastHit).toBeLessThan(300)
    expect(await client.take(1)).toEqual(['$1\r\nv\r\n'])
    await until(async () => {
      const before = front.gateway.cache.engine.meter.read('respHits')
      await client.ask('GET', 'k')
      return front.gateway.cache.engine.meter.read('respHits') > before
    }, 'a hit')
    client.close()
  })

  it('passes redirections of a cluster on', async () => {
    const cluster = await startCluster()
    onTestFinished(() => cluster.stop())
    const [first] = cluster.servers
    const front = await frontBefore((first as RedisHere).url)
    const direct = new RawRedis((first as RedisHere).port)
    const client = new RawRedis(front.port)
    for (let i = 0; i < 20; i += 1) {
      for (const words of [
        ['SET', `key:${i}`, 'v'],
        ['GET', `key:${i}`],
        ['GET', `key:${i}`],
      ] as const) {
        expect(await client.ask(...words)).toBe(await direct.ask(...words))
      }
    }
    for (const one of [direct, client]) one.close()
  })
})

describe('front: who gets in', () => {
  it('does not listen beyond loopback where nobody has to log in', async () => {
    const gateway = createGateway({ api: { listen: '127.0.0.1:0' }, resp: { listen: '0.0.0.0:0', upstream: redis.url } })

    await expect(gateway.listen()).rejects.toMatchObject({ code: 'FC_RESP_EXPOSED' })
  })

  it('speaks TLS to clients and to the upstream, with authorities of its own', async () => {
    const before = await secureBefore(redis.port)
    const upstream = `rediss://127.0.0.1:${before}`
    const tls = { cert: PAIR.cert, key: PAIR.key, ca: CA }
    const front = await frontBefore(upstream, { tls, upstreamTls: { ca: CA, cert: PAIR.cert, key: PAIR.key } })
    const secret = { host: '127.0.0.1', port: front.port, ca: CA, servername: 'localhost', rejectUnauthorized: false }

    const client = connectTls({ ...secret, cert: PAIR.cert, key: PAIR.key })
    let got = ''
    client.on('data', (chunk: Buffer) => (got += chunk.toString('latin1')))
    for (let i = 1; i <= 4; i += 1) {
      client.write(i === 1 ? request('SET', 'over tls', 'v') : request('GET', 'over tls'))
      await until(() => got.length === 5 + (i - 1) * 7, 'the reply')
    }
    client.destroy()

    expect(got).toBe('+OK\r\n$1\r\nv\r\n$1\r\nv\r\n$1\r\nv\r\n')
    const stranger = connectTls(secret)
    await new Promise((resolve) =>
      stranger
        .once('error', resolve)
        .once('close', resolve)
        .on('data', () => undefined),
    )
  })
})

/** A Redis that wants a password. */
async function startGuarded(): Promise<RedisHere> {
  const guarded = await startRedis()
  onTestFinished(() => guarded.stop())
  await guarded.command('CONFIG', 'SET', 'requirepass', 'right')
  return guarded
}

/** A server that speaks TLS, asks for a certificate, and passes everything on. */
async function secureBefore(to: number): Promise<number> {
  const server = createTlsServer(
    { cert: PAIR.cert, key: PAIR.key, ca: CA, requestCert: true, rejectUnauthorized: true },
    (socket) => {
      const upstream = connect(to, '127.0.0.1')
      for (const one of [socket, upstream]) one.on('error', () => undefined)
      socket.pipe(upstream).pipe(socket)
    },
  )
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
  })
  onTestFinished(() => void server.close())
  return port
}
