/** Pipelined requests by `node:http` alone: what the comparison with the lane found, each by what was lost before. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { makeCertificate, writeCertificate } from '../support/certificate.ts'
import { ForwardClock, startArm, Wire } from '../support/lane-arm.ts'
import { closing, gatewayOf, get, open, told, until } from '../support/lane-wire.ts'

const post = (name: string, lines = ''): string =>
  `POST /u/${name} HTTP/1.1\r\nHost: a.test\r\n${lines}Content-Length: 2\r\n\r\nab`

describe('regress: pipelined answers', () => {
  it('are not cut by a later request that is refused', async () => {
    const wire = open(await gatewayOf(false))

    wire.send(get('p1') + get('p2') + get('p3', 'Host: b.test\r\n'))

    await closing(wire)
    expect(told(wire)).toEqual(['200 MISS <GET /u/p1 #1>', '200 MISS <GET /u/p2 #1>', '400 BYPASS'])
  })

  it('are not cut by a later request that asks for an upgrade', async () => {
    const wire = open(await gatewayOf(false))

    wire.send(get('p1') + get('p2', 'Connection: Upgrade\r\nUpgrade: h2c\r\n'))

    await closing(wire)
    expect(told(wire)).toEqual(['200 MISS <GET /u/p1 #1>', '200 MISS <GET /u/p2 #1>'])
  })

  it('are not cut by a WebSocket handshake behind them', async () => {
    const wire = open(await gatewayOf(false))

    wire.send(get('p1') + get('p2', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'))

    await closing(wire)
    expect(told(wire).slice(0, 2)).toEqual(['200 MISS <GET /u/p1 #1>', '200 MISS <GET /u/p2 #1>'])
  })

  it('all leave while the gateway drains', async () => {
    const arm = await gatewayOf(false)
    const wire = open(arm)
    wire.send(get('Q1') + get('Q2') + get('p3'))
    await until(() => arm.origin.seen.length === 4, 'the origin has all three')

    const drained = arm.gateway.close(3000)

    await closing(wire)
    await drained
    expect(told(wire).map((answer) => answer.slice(0, 3))).toEqual(['200', '200', '200'])
  })

  it.each([
    ['a request that closes', get('p1', 'Connection: close\r\n')],
    ['HTTP/1.0', 'GET /u/p1 HTTP/1.0\r\nHost: a.test\r\n\r\n'],
    ['an expectation without content', get('p1', 'Expect: 100-continue\r\n')],
  ])('come for all that was carried out: nothing is behind %s', async (_, first) => {
    const arm = await gatewayOf(false)
    const wire = open(arm)

    wire.send(first + post('n1'))

    await closing(wire)
    expect(told(wire)).toEqual(['200 MISS <GET /u/p1 #1>'])
    expect(arm.origin.seen.filter((request) => request.startsWith('POST'))).toEqual([])
  })

  it('never hold an interim answer as content', async () => {
    const wire = open(await gatewayOf(false))

    wire.send(get('C1') + get('I2') + get('h1'))

    await until(() => wire.text.includes('<GET /u/h1 #1>'), 'the last answer')
    const behind = wire.text.slice(wire.text.indexOf('x-sum: 5\r\n\r\n') + 'x-sum: 5\r\n\r\n'.length)
    expect(behind.slice(behind.indexOf('\r\n\r\n') + 4)).toMatch(/^<GET \/u\/I2 #1>[a-j]*HTTP\/1\.1 200 OK\r\n/)
  })

  it('never hold 100 Continue as content', async () => {
    const wire = open(await gatewayOf(false))

    wire.send(get('C1') + post('I2', 'Expect: 100-continue\r\n'))

    await until(() => wire.text.includes('<POST /u/I2 #1>'), 'the last answer')
    expect(told(wire).map((answer) => answer.slice(0, 3))).toEqual(['200', '200'])
  })

  it('are followed by 100 Continue only in its turn', async () => {
    const wire = open(await gatewayOf(false))

    wire.send(`${get('P1')}POST /u/n2 HTTP/1.1\r\nHost: a.test\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n`)
    await until(() => wire.text.includes('100 Continue'), 'the word to go on')
    wire.send('ab')

    await until(() => wire.text.includes('<POST /u/n2 #1>'), 'the answer')
    expect(told(wire).map((answer) => answer.slice(0, 3))).toEqual(['200', '100', '200'])
  })

  it('end with the answer to what was refused, whatever comes behind it', async () => {
    const wire = open(await gatewayOf(false))

    wire.send(`${get('h1', 'Host: b.test\r\n')}no request at all\r\n\r\n`)

    await closing(wire)
    expect(told(wire)).toEqual(['400 BYPASS'])
  })

  it.each([true, false])('that close are sent to their end over TLS, whatever comes behind them (lane: %s)', async (lane) => {
    const folder = mkdtempSync(join(tmpdir(), 'forecache-'))
    const arm = await startArm('tls', new ForwardClock(), { lane, tls: writeCertificate(folder, makeCertificate()) })
    onTestFinished(async () => {
      await arm.close()
      rmSync(folder, { recursive: true, force: true })
    })
    const wire = new Wire(arm.port, true)
    await wire.ready
    wire.send(get('h1'))
    await until(() => told(wire).length === 1, 'it is stored')

    wire.send(get('h1') + get('h1', 'Expect: nothing\r\n') + get('h1'))

    await closing(wire)
    expect(told(wire).slice(1)).toEqual(['200 HIT <GET /u/h1 #1>', '417 -'])
  })
})
