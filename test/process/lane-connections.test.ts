/** The life of a connection: the same in the lane and by `node:http` alone. */
import { describe, expect, it } from 'vitest'
import { closing, gatewayOf, get, open, openApi, told, until, WAYS } from '../support/lane-wire.ts'

const HIT = '200 HIT <GET /u/h1 #1>'
const HANDSHAKE =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
const post = (name: string, body: string): string =>
  `POST /u/${name} HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${body.length}\r\n\r\n${body}`

describe.each(WAYS)('connections %s: order', (_, lane) => {
  it('answers in the order of the requests, whichever takes longer', async () => {
    const arm = await gatewayOf(lane)
    const wire = open(arm)

    wire.send(get('h1') + get('C1') + get('h1') + post('n2', 'abc') + get('h1'))

    await until(() => told(wire).length === 5, 'five answers')
    expect(told(wire).map((answer) => answer.split(' #')[0])).toEqual([
      '200 HIT <GET /u/h1',
      '200 MISS <GET /u/C1',
      '200 HIT <GET /u/h1',
      '200 BYPASS <POST /u/n2',
      '200 HIT <GET /u/h1',
    ])
  })

  it('hands a DELETE of what was just hit to the origin, and its effect to the next request', async () => {
    const arm = await gatewayOf(lane)
    const wire = open(arm)
    wire.send(get('h1'))
    await until(() => told(wire).length === 1, 'a hit')

    wire.send('DELETE /u/h1 HTTP/1.1\r\nHost: a.test\r\n\r\n')
    await until(() => told(wire).length === 2, 'the answer to DELETE')
    wire.send(get('h1'))

    await until(() => told(wire).length === 3, 'the answer behind it')
    expect(told(wire)).toEqual([HIT, '200 BYPASS <DELETE /u/h1 #1>', '200 MISS <GET /u/h1 #2>'])
  })

  it('sees an invalidation between two requests of one connection', async () => {
    const arm = await gatewayOf(lane)
    const wire = open(arm)
    wire.send(get('h1') + get('h1'))
    await until(() => told(wire).length === 2, 'two hits')

    arm.gateway.cache.engine.invalidate({ urls: ['http://a.test/u/h1'] })
    wire.send(get('h1'))

    await until(() => told(wire).length === 3, 'the answer behind it')
    expect(told(wire)).toEqual([HIT, HIT, '200 MISS <GET /u/h1 #2>'])
  })

  it('takes bytes of the next request that come while one is answered', async () => {
    const arm = await gatewayOf(lane)
    const wire = open(arm)

    wire.send(post('n1', 'ab') + get('h1') + get('h1').slice(0, 9))
    await until(() => told(wire).length === 2, 'two answers')
    wire.send(`${get('h1').slice(9)}DELETE /u/h9 HTTP/1.1\r\nHost: a.test\r\n\r\n${get('h1')}`)

    await until(() => told(wire).length === 5, 'five answers')
    expect(told(wire)).toEqual(['200 BYPASS <POST /u/n1 #1>', HIT, HIT, '200 BYPASS <DELETE /u/h9 #1>', HIT])
  })

  it('passes interim answers on before their own answers', async () => {
    const arm = await gatewayOf(lane)
    const wire = open(arm)
    wire.send(get('h1'))
    await until(() => told(wire).length === 1, 'a hit')

    wire.send(get('i1'))

    await until(() => told(wire).length === 3, 'an interim answer and its own')
    expect(wire.text.indexOf('103 Early Hints')).toBeLessThan(wire.text.indexOf('<GET /u/i1 #1>'))
    expect(wire.text).toContain('\r\nlink: </style.css>; rel=preload\r\n')
  })
})

describe.each(WAYS)('connections %s: reload', (_, lane) => {
  it('serves a connection under the rules of the moment', async () => {
    const arm = await gatewayOf(lane)
    const wire = open(arm)
    wire.send(get('h1') + get('h1'))
    await until(() => told(wire).length === 2, 'two hits')

    await arm.reload({ routes: [{ name: 'strict', match: { path: '/u/h1' }, strict: true }] })
    wire.send(get('h1'))
    await until(() => told(wire).length === 3, 'an answer under the new rules')
    await arm.reload({ headers: { latency: 'on' } })
    wire.send(get('h1'))

    await until(() => told(wire).length === 4, 'an answer under the latest rules')
    expect(told(wire)).toEqual([HIT, HIT, '200 BYPASS <GET /u/h1 #2>', '200 MISS <GET /u/h1 #3>'])
    expect(wire.text.match(/\r\nx-cache-latency: /g)).toHaveLength(1)
  })

  it('asks a connection for a key that is still one', async () => {
    const arm = await gatewayOf(lane, { api: { keys: ['the-former-key-0001'] } })
    const wire = openApi(arm)
    const head = 'Host: localhost\r\nx-api-key: the-former-key-0001\r\n'
    wire.send(`PUT /cache/k HTTP/1.1\r\n${head}Content-Length: 1\r\n\r\nv`)
    await until(() => told(wire).length === 1, 'a value is stored')
    wire.send(`GET /cache/k HTTP/1.1\r\n${head}\r\n`.repeat(2))
    await until(() => told(wire).length === 3, 'two hits')

    await arm.reload({ api: { keys: ['the-later-key-00002'] } })
    wire.send(`GET /cache/k HTTP/1.1\r\n${head}\r\n`)

    await until(() => told(wire).length === 4, 'an answer to the former key')
    expect(told(wire).map((answer) => answer.slice(0, 3))).toEqual(['201', '200', '200', '401'])
  })
})

describe.each(WAYS)('connections %s: leaving HTTP', (_, lane) => {
  it('opens a WebSocket behind hits, with the bytes that came early', async () => {
    const arm = await gatewayOf(lane)
    const wire = open(arm)
    wire.send(get('h1') + get('h1'))
    await until(() => told(wire).length === 2, 'two hits')

    wire.send(`${get('ws', HANDSHAKE)}early`)
    await until(() => wire.text.endsWith('\r\n\r\nearly'), 'the echo of what came early')
    wire.send(' and late')

    await until(() => wire.text.endsWith('\r\n\r\nearly and late'), 'the echo of what came late')
    expect(told(wire).map((answer) => answer.slice(0, 3))).toEqual(['200', '200', '101'])
  })

  it('opens a WebSocket behind a request that the stack answered', async () => {
    const arm = await gatewayOf(lane)
    const wire = open(arm)
    wire.send(post('n1', 'ab'))
    await until(() => told(wire).length === 1, 'an answer')

    wire.send(`${get('ws', HANDSHAKE)}${'x'.repeat(200_000)}`)

    await until(() => wire.text.length > 200_000 && wire.text.endsWith('xxx'), 'the echo')
    wire.socket.end()
    await closing(wire)
  })

  it('refuses CONNECT behind a hit and answers nothing behind it', async () => {
    const arm = await gatewayOf(lane)
    const wire = open(arm)

    wire.send(`${get('h1')}CONNECT a.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n${get('h1')}`)

    await closing(wire)
    expect(told(wire)).toEqual([HIT, '405 -'])
  })
})

describe.each(WAYS)('connections %s: ends', (_, lane) => {
  it('answers hits whose client has said that no more will come, and closes', async () => {
    const arm = await gatewayOf(lane)
    const wire = open(arm)

    wire.send(get('h1') + get('h1'))
    wire.socket.end()

    expect(await closing(wire)).toBeLessThan(1000)
    expect(told(wire)).toEqual([HIT, HIT])
  })

  it('answers nothing behind the last request, and carries nothing out', async () => {
    const arm = await gatewayOf(lane)
    const wire = open(arm)

    wire.send(get('h1') + get('h1', 'Connection: close\r\n') + post('n1', 'never'))

    await closing(wire)
    expect(told(wire)).toEqual([HIT, HIT])
    expect(arm.origin.seen.filter((request) => request.includes('/u/n1'))).toEqual([])
  })

  it('cancels at the origin what an answer was awaited for by a client that went', async () => {
    const arm = await gatewayOf(lane, { routes: [{ name: 'n', match: { path: '/u/W1' }, finish: false }] })
    const wire = open(arm)
    wire.send(get('h1') + get('W1'))
    await until(() => arm.origin.hanging === 1, 'the origin is asked')

    wire.socket.destroy()

    await until(() => arm.origin.hanging === 0, 'the origin is left')
  })

  it.each([
    ['nothing', ''],
    ['a whole request', get('h1')],
  ])('takes a client that sends no more while the origin is awaited for gone, with %s behind', async (__, behind) => {
    const arm = await gatewayOf(lane)
    const wire = open(arm)
    wire.send(post('W1', 'ab') + behind)
    await until(() => arm.origin.hanging === 1, 'the origin is asked')

    wire.socket.end()

    await closing(wire, 1000)
    await until(() => arm.origin.hanging === 0, 'the origin is left')
  })

  it('ends what it answers for a client that has ended within a head', async () => {
    const arm = await gatewayOf(lane)
    const wire = open(arm)

    wire.send(post('P1', 'ab') + get('h1').slice(0, 20))
    wire.socket.end()

    expect(await closing(wire)).toBeLessThan(1000)
    expect(told(wire).at(-1)).toBe('400 -')
  })

  it('refuses a head that cannot be read behind a hit, and closes', async () => {
    const arm = await gatewayOf(lane)
    const wire = open(arm)

    wire.send(`${get('h1')}GET /u/h1 HTTP/1.1\r\nHost: a.test\r\nX : y\r\n\r\n${get('h1')}`)

    await closing(wire)
    expect(told(wire)).toEqual([HIT, '400 -'])
  })

  it('survives clients that reset at any moment', async () => {
    const arm = await gatewayOf(lane)

    for (let i = 0; i < 60; i += 1) {
      const wire = open(arm)
      wire.send(get('h1') + get(`b${i}`) + get('h1') + (i % 2 === 0 ? post('n1', 'abc').slice(0, -2) : ''))
      for (let left = i % 9; left >= 0; left -= 1) await new Promise((resolve) => setImmediate(resolve))
      if (i % 3 === 0) wire.socket.destroy()
      else wire.socket.resetAndDestroy()
    }
    const wire = open(arm)
    wire.send(get('h1'))

    await until(() => told(wire).length === 1, 'an answer')
    await until(() => arm.gateway.cache.stats().flights === 0, 'no flight is left')
    expect(arm.errors).toEqual([])
  })
})

describe.each(WAYS)('connections %s: deadlines and bounds', (_, lane) => {
  it.each([
    ['at the beginning', ''],
    ['behind a hit', get('h1')],
    ['behind a request of the stack', post('n1', 'ab')],
  ])('answers 408 to a head that does not come to its end, %s', { timeout: 10_000 }, async (__, before) => {
    const arm = await gatewayOf(lane, { limits: { headTimeout: '300ms', keepAlive: '1m' } })
    const wire = open(arm)
    wire.send(`${before}GET /u/h1 HTTP/1.1\r\nHo`)
    const drip = setInterval(() => wire.send('o'), 50)

    const tookMs = await closing(wire)

    clearInterval(drip)
    expect(tookMs).toBeGreaterThan(250)
    expect(tookMs).toBeLessThan(2000)
    expect(told(wire).at(-1)).toBe('408 -')
    expect(wire.text).toContain('\r\nConnection: close\r\n')
  })

  it('tells a client that says nothing that it is too late', async () => {
    const arm = await gatewayOf(lane, { limits: { headTimeout: '200ms', keepAlive: '1m' } })
    const wire = open(arm)

    expect(await closing(wire)).toBeGreaterThan(150)
    expect(told(wire)).toEqual(['408 -'])
  })

  it.each([
    ['a hit', get('h1')],
    ['a POST', post('n1', 'ab')],
  ])('closes an idle connection without a word, behind %s', { timeout: 10_000 }, async (__, before) => {
    const arm = await gatewayOf(lane, { limits: { keepAlive: '200ms' } })
    const wire = open(arm)
    wire.send(before)
    await until(() => told(wire).length === 1, 'an answer')

    const tookMs = await closing(wire)

    expect(tookMs).toBeGreaterThan(150)
    expect(tookMs).toBeLessThan(3500)
    expect(told(wire)).toHaveLength(1)
  })

  it('takes no more connections than its limit, and more when one has gone', async () => {
    const arm = await gatewayOf(lane, { limits: { connections: 3 } })
    const wires = [open(arm), open(arm), open(arm)]
    for (const wire of wires) wire.send(get('h1'))
    await until(() => wires.every((wire) => told(wire).length === 1), 'three answers')

    const late = open(arm)
    late.send(get('h1'))
    await closing(late)
    wires[0]?.socket.destroy()
    await new Promise((resolve) => setTimeout(resolve, 50))
    const next = open(arm)
    next.send(get('h1'))

    await until(() => told(next).length === 1, 'an answer on the place that became free')
    expect(told(late)).toEqual([])
  })
})

describe.each(WAYS)('connections %s: drain', (_, lane) => {
  it('closes idle connections at once, ends requests under way with Connection: close', async () => {
    const arm = await gatewayOf(lane)
    const idle = [open(arm), open(arm), open(arm)]
    idle[1]?.send(get('h1'))
    idle[2]?.send(post('n1', 'ab'))
    await until(() => idle.slice(1).every((wire) => told(wire).length === 1), 'answers')
    const busy = open(arm)
    busy.send(`${get('h1')}POST /u/n2 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 4\r\n\r\nab`)
    const begun = open(arm)
    begun.send(`${get('h1')}GET /u/h1 HTTP/1.1\r\nHo`)
    await until(() => told(busy).length === 1 && told(begun).length === 1, 'hits')

    const drained = arm.gateway.close(5000)
    await Promise.all(idle.map((wire) => closing(wire, 1000)))
    busy.send(`cd${get('h1')}`)
    begun.send('st: a.test\r\n\r\n')
    await Promise.all([closing(busy), closing(begun), drained])

    expect(told(busy).slice(0, 2)).toEqual([HIT, '200 BYPASS <POST /u/n2 #1>'])
    expect(told(begun)).toEqual([HIT, HIT])
    expect(busy.text.toLowerCase().lastIndexOf('\r\nconnection: close')).toBeGreaterThan(busy.text.indexOf('BYPASS'))
    expect(begun.text.toLowerCase()).toContain('\r\nconnection: close')
  })

  it('cuts everything when it is killed', async () => {
    const arm = await gatewayOf(lane)
    const wires = [open(arm), open(arm), open(arm)]
    wires[0]?.send(get('h1'))
    wires[1]?.send('POST /u/n1 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 9\r\n\r\nab')
    await until(() => wires[0] !== undefined && told(wires[0]).length === 1, 'a hit')

    arm.gateway.kill()

    await Promise.all(wires.map((wire) => closing(wire, 1000)))
  })
})
