/** HTTPS on both ports: one cache for both versions of HTTP, schemes, names, certificates exchanged while running. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { request as requestHttps } from 'node:https'
import { connect as connectPlain } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { Agent, request } from 'undici'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parseConfig } from '../../src/server/config.ts'
import { type Certificate, makeCertificate, writeCertificate } from '../support/certificate.ts'
import { originHere } from '../support/gateway-here.ts'
import { Http2Client } from '../support/http2-client.ts'
import { AUTHORITY, CA, PAIR, secured } from '../support/tls-stand.ts'

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'forecache-tls-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return path
}

interface Shake extends ConnectionOptions {
  readonly port: number
}

/** A handshake's result. */
function shake(options: Shake): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', servername: 'localhost', ca: CA, ...options })
    onTestFinished(() => void socket.destroy())
    socket.once('secureConnect', () => resolve(socket)).on('error', reject)
  })
}

/** Everything that is read until there are `count` answers, or the end. */
function readAnswers(socket: TLSSocket, count: number): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      if (text.split('HTTP/1.1 ').length > count && text.endsWith('}')) resolve(text)
    })
    socket.on('end', () => resolve(text))
  })
}

async function get1(port: number, path: string, headers: Record<string, string> = {}) {
  const agent = new Agent({ connect: { ca: CA }, allowH2: false })
  onTestFinished(() => agent.destroy())
  const answer = await request(`https://localhost:${port}${path}`, { dispatcher: agent, headers })
  return { status: answer.statusCode, fields: answer.headers, body: await answer.body.text() }
}

const echo: RequestListener = (asked, answer) => {
  answer.setHeader('cache-control', 'max-age=60')
  answer.end(JSON.stringify(asked.headers))
}

describe('tls: one cache for both versions of HTTP', () => {
  it.each([true, false])('answers HTTP/1.1 and HTTP/2 from the same entry (lane: %s)', async (lane) => {
    let asked = 0
    const { port } = await secured(
      (_, answer) => {
        asked += 1
        answer.setHeader('cache-control', 'max-age=60').end(`answer ${asked}`)
      },
      { lane },
    )
    const two = new Http2Client(port, CA)

    const first = await two.get('/x')
    const second = await get1(port, '/x')
    const third = await two.get('/x')

    expect([first.body, second.body, third.body]).toEqual(['answer 1', 'answer 1', 'answer 1'])
    expect(first.fields['x-cache']).toBe('MISS')
    expect(second.fields['x-cache']).toBe('HIT')
    expect(third.fields['x-cache']).toBe('HIT')
  })

  it('tells the origin https and the version that was spoken, and keeps https apart from http', async () => {
    const { port } = await secured(echo)
    const told = JSON.parse((await new Http2Client(port, CA).get('/a', { 'x-forwarded-proto': 'http' })).body)
    const one = JSON.parse((await get1(port, '/b')).body)

    expect(told).toMatchObject({ 'x-forwarded-proto': 'https', host: `localhost:${port}` })
    expect(told.forwarded).toContain('proto=https')
    expect(told.via).toMatch(/^2 forecache-/)
    expect(one.via).toMatch(/^1\.1 forecache-/)
  })

  it('believes a trusted proxy about the scheme, so http behind it is another entry than https', async () => {
    const { port } = await secured(echo, { headers: { trust: ['loopback'] } })

    const https = await get1(port, '/x')
    const http = await get1(port, '/x', { 'x-forwarded-proto': 'http' })

    expect(http.fields['x-cache']).toBe('MISS')
    expect(JSON.parse(http.body)['x-forwarded-proto']).toBe('http')
    expect(JSON.parse(https.body)['x-forwarded-proto']).toBe('https')
  })

  it('answers pipelined requests of HTTP/1.1 in order', async () => {
    const { port } = await secured((asked, answer) => {
      answer.setHeader('cache-control', 'max-age=60').end(JSON.stringify({ path: asked.url }))
    })
    const socket = await shake({ port, ALPNProtocols: ['http/1.1'] })
    const paths = ['/1', '/2', '/1', '/3', '/2']

    const answers = readAnswers(socket, paths.length)
    socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`).join(''))

    expect([...(await answers).matchAll(/"path":"([^"]+)"/g)].map((match) => match[1])).toEqual(paths)
  })

  it('drops the default port of https, and refuses a target of http', async () => {
    const { port } = await secured(echo)
    const socket = await shake({ port })
    const answers = readAnswers(socket, 2)
    socket.write('GET /y HTTP/1.1\r\nHost: a.test:443\r\n\r\nGET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n')

    const text = await answers
    expect(text).toContain('"host":"a.test"')
    expect(text).toContain('another scheme')
  })
})

describe('tls: handshakes', () => {
  it('agrees on h2 where it is offered, on http/1.1 without ALPN, and on h2 not at all where it is turned off', async () => {
    const { port } = await secured(echo)
    const without = await secured(echo, { tls: { cert: PAIR.cert, key: PAIR.key, http2: false } })

    expect((await shake({ port, ALPNProtocols: ['http/1.1', 'h2'] })).alpnProtocol).toBe('h2')
    expect((await shake({ port })).alpnProtocol).toBe(false)
    expect((await shake({ port: without.port, ALPNProtocols: ['h2', 'http/1.1'] })).alpnProtocol).toBe('http/1.1')
  })

  it('speaks nothing older than TLS 1.2, or than it is told', async () => {
    const { port } = await secured(echo)
    const strict = await secured(echo, { tls: { cert: PAIR.cert, key: PAIR.key, minVersion: 'TLSv1.3' } })
    const old = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const

    await expect(shake({ port, ...old })).rejects.toThrow()
    expect((await shake({ port, maxVersion: 'TLSv1.2' })).getProtocol()).toBe('TLSv1.2')
    await expect(shake({ port: strict.port, maxVersion: 'TLSv1.2' })).rejects.toThrow()
  })

  it('shows the certificate that bears the name asked for, the first one to all others', async () => {
    const one = makeCertificate({ names: ['one.test'], issuer: AUTHORITY })
    const wild = makeCertificate({ names: ['*.two.test'], issuer: AUTHORITY })
    const certificates = [one, wild].map(({ cert, key }) => ({ cert, key }))
    const { port } = await secured(echo, { tls: { cert: PAIR.cert, key: PAIR.key, certificates } })
    const shown = async (servername: string): Promise<string | undefined> =>
      (await shake({ port, servername, checkServerIdentity: () => undefined })).getPeerCertificate().subjectaltname

    expect(await shown('one.test')).toBe('DNS:one.test')
    expect(await shown('x.two.test')).toBe('DNS:*.two.test')
    expect(await shown('other.test')).toContain('DNS:localhost')
  })

  it('asks clients for a certificate where authorities are named', async () => {
    const { port } = await secured(echo, { tls: { cert: PAIR.cert, key: PAIR.key, ca: CA } })
    const mine = makeCertificate({ names: ['client'], issuer: AUTHORITY })
    const foreign = makeCertificate({ names: ['client'] })
    const ask = async (pair?: Certificate): Promise<string> => {
      const socket = await shake({ port, ...(pair && { cert: pair.cert, key: pair.key }) })
      const answer = readAnswers(socket, 1)
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
      return Promise.race([answer, new Promise<string>((_, reject) => void socket.on('error', reject))])
    }

    expect(await ask(mine)).toContain('HTTP/1.1 200')
    for (const refused of [ask(foreign), ask()]) expect(await refused.catch(() => '')).toBe('')
  })

  it('ends a handshake that does not come in time, and a connection that speaks plain HTTP', async () => {
    const { port } = await secured(echo, { limits: { headTimeout: '300ms' } })
    const closed = (say: string): Promise<string> =>
      new Promise((resolve) => {
        let read = ''
        const socket = connectPlain({ port, host: '127.0.0.1' })
        socket.on('connect', () => socket.write(say)).on('data', (chunk: Buffer) => (read += chunk.toString('latin1')))
        socket.on('error', () => {}).on('close', () => resolve(read))
      })

    expect(await closed('\u0016')).toBe('')
    expect(await closed('GET / HTTP/1.1\r\nHost: a\r\n\r\n')).not.toContain('200')
  })

  it('gives a slow head 408 behind the handshake too', async () => {
    const { port } = await secured(echo, { limits: { headTimeout: '300ms' } })
    const socket = await shake({ port })
    const answer = readAnswers(socket, 1)
    socket.write('GET / HTTP/1.1\r\nHost')

    expect(await answer).toContain('HTTP/1.1 408')
  })

  it('upgrades to WebSocket on HTTP/1.1', async () => {
    const url = await originHere(echo, (server) =>
      server.on('upgrade', (asked, socket) => {
        const accept = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='
        socket.write(`HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`)
        socket.write(`proto ${String(asked.headers['x-forwarded-proto'])};`)
        socket.pipe(socket)
      }),
    )
    const { port } = await secured(url)
    const fields = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    }

    const read = await new Promise<string>((resolve, reject) => {
      const asked = requestHttps({ host: 'localhost', port, ca: CA, headers: fields, agent: false })
      asked.on('error', reject).on('upgrade', (_, socket, ahead) => {
        let text = ahead.toString()
        socket.write('hello')
        socket.on('data', (chunk: Buffer) => {
          text += chunk.toString()
          if (text.includes('hello')) {
            socket.destroy()
            resolve(text)
          }
        })
      })
      asked.end()
    })

    expect(read).toBe('proto https;hello')
  })
})

describe('tls: certificates while running', () => {
  const subject = async (port: number): Promise<string> => {
    const socket = await shake({ port, checkServerIdentity: () => undefined })
    const { serialNumber } = socket.getPeerCertificate()
    socket.destroy()
    return serialNumber
  }

  it('are exchanged when their files change, without dropping a connection', async () => {
    const path = folder()
    const files = writeCertificate(path, PAIR)
    const { port, lines } = await secured(echo, { tls: files })
    const two = new Http2Client(port, CA)
    await two.get('/x')
    const before = await subject(port)

    writeCertificate(path, makeCertificate({ issuer: AUTHORITY }))
    await expect.poll(() => subject(port), { timeout: 5000 }).not.toBe(before)

    expect((await two.get('/x')).fields['x-cache']).toBe('HIT')
    expect(two.goaways).toEqual([])
    expect(lines.join()).toContain('read again')
  })

  it('stay when the new ones do not belong together, until they do', async () => {
    const path = folder()
    const files = writeCertificate(path, PAIR)
    const { port, lines } = await secured(echo, { tls: files })
    const before = await subject(port)
    const next = makeCertificate({ issuer: AUTHORITY })

    writeFileSync(files.cert, next.cert)
    await expect.poll(() => lines.join(), { timeout: 5000 }).toContain('FC_TLS_MISMATCH')
    expect(await subject(port)).toBe(before)

    writeFileSync(files.key, next.key)
    await expect.poll(() => subject(port), { timeout: 5000 }).not.toBe(before)
  })

  it('are read again by a reload, on both ports', async () => {
    const { gateway, values, port, apiPort } = await secured(echo, { api: { tls: { cert: PAIR.cert, key: PAIR.key } } })
    const before = await Promise.all([subject(port), subject(apiPort)])
    const { cert, key } = makeCertificate({ issuer: AUTHORITY })
    const next = { ...values, tls: { cert, key }, api: { ...values.api, tls: { cert, key } } }

    expect(await gateway.reload(parseConfig({ values: next }))).toEqual({ applied: ['tls', 'api.tls'], restart: [] })
    expect(await subject(port)).not.toBe(before[0])
    expect(await subject(apiPort)).not.toBe(before[1])
  })

  it('take a restart where TLS itself comes or goes, or what handshakes offer', async () => {
    const { gateway, values } = await secured(echo)
    const { tls, ...without } = values
    const api = { ...values.api, tls }

    expect(await gateway.reload(parseConfig({ values: { ...without, api } }))).toEqual({
      applied: [],
      restart: ['api.tls', 'tls'],
    })
    const other = { ...values, tls: { ...tls, http2: false } }
    expect(await gateway.reload(parseConfig({ values: other }))).toEqual({ applied: [], restart: ['tls'] })
  })

  it('are refused by a reload that names wrong ones; everything stays', async () => {
    const { gateway, values, port } = await secured(echo)
    const before = await subject(port)
    const wrong = { ...values, tls: { ...values.tls, cert: AUTHORITY.cert }, profile: 'conformance' }

    await expect(gateway.reload(parseConfig({ values: wrong }))).rejects.toMatchObject({ code: 'FC_TLS_MISMATCH' })
    expect(await subject(port)).toBe(before)
  })
})

describe('tls: the api port', () => {
  it('answers over both versions of HTTP, and asks for keys over both', async () => {
    const key = 'k'.repeat(20)
    const { apiPort } = await secured(echo, { api: { tls: { cert: PAIR.cert, key: PAIR.key }, keys: [key] } })
    const two = new Http2Client(apiPort, CA)

    expect((await two.get('/v1/stats')).status).toBe(401)
    expect((await two.get('/v1/stats', { 'x-api-key': key })).status).toBe(200)
    expect((await get1(apiPort, '/v1/stats', { 'x-api-key': key })).status).toBe(200)
    const body = JSON.stringify({ keys: ['x'] })
    const asked = { ':method': 'POST', ':path': '/v1/invalidate', 'x-api-key': key, 'content-type': 'application/json' }
    expect(await two.ask(asked, body)).toMatchObject({ status: 200 })
  })
})

describe('tls: draining', () => {
  it.each([{}, { tls: undefined, h2c: true }])('waits for nobody who has not said yet what he speaks: %o', async (more) => {
    const { gateway, port } = await secured(echo, more)
    const mute = connectPlain({ port, host: '127.0.0.1' }).on('error', () => {})
    await new Promise((resolve) => mute.once('connect', resolve))
    await pause(50)

    const began = Date.now()
    await gateway.close(5000)

    expect(Date.now() - began).toBeLessThan(2000)
  })

  it('ends idle connections of both versions at once', async () => {
    const { gateway, port } = await secured(echo)
    const two = new Http2Client(port, CA)
    await two.get('/x')
    const one = await shake({ port })
    const answer = readAnswers(one, 1)
    one.write('GET /x HTTP/1.1\r\nHost: a\r\n\r\n')
    await answer
    await pause(20)

    const began = Date.now()
    await gateway.close(5000)

    expect(Date.now() - began).toBeLessThan(2500)
    expect(two.goaways[0]).toBe(0)
  })
})
