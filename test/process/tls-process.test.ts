/** HTTPS and HTTP/2 of the command as a process: flags, several workers, a drain by signal. */
import { mkdtempSync, rmSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { writeCertificate } from '../support/certificate.ts'
import { startCli } from '../support/cli-process.ts'
import { originHere } from '../support/gateway-here.ts'
import { spawnGateway } from '../support/gateway-spawn.ts'
import { answerOf, Http2Client } from '../support/http2-client.ts'
import { CA, PAIR } from '../support/tls-stand.ts'

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'forecache-tls-'))
  onTestFinished(() => rmSync(path, { recursive: true }))
  return path
}

const echo: RequestListener = (asked, answer) => {
  answer.setHeader('cache-control', 'max-age=60')
  answer.end(JSON.stringify(asked.headers))
}

describe('tls: from the command line', () => {
  it('is served with a certificate and its key, and says at once what is wrong with them', async () => {
    const files = writeCertificate(folder(), PAIR)
    const origin = await originHere(echo)
    const gateway = await spawnGateway(['--origin', origin, '--tls-cert', files.cert, '--tls-key', files.key])

    expect((await new Http2Client(gateway.port, CA).get('/x')).status).toBe(200)

    const wrong = startCli([
      'serve',
      '--listen',
      '0',
      '--api',
      '0',
      '--origin',
      origin,
      '--tls-cert',
      files.cert,
      '--tls-key',
      files.cert,
    ])
    expect(await wrong.ended).toMatchObject({ code: 1, err: expect.stringContaining('FC_TLS_PEM: tls.key') })
  })

  it('is served by several workers, from the same address', async () => {
    const files = writeCertificate(folder(), PAIR)
    const origin = await originHere(echo)
    const gateway = await spawnGateway(['--origin', origin, '--tls-cert', files.cert, '--tls-key', files.key, '--workers', '2'])

    const clients = Array.from({ length: 6 }, () => new Http2Client(gateway.port, CA))
    for (const client of clients) expect(await client.get('/x')).toMatchObject({ status: 200 })
  })

  it('drains on SIGTERM: GOAWAY, the answer under way to its end, exit code 0', async () => {
    const files = writeCertificate(folder(), PAIR)
    const origin = await originHere((_, answer) => {
      answer.write('begun ')
      setTimeout(() => answer.end('and ended'), 500)
    })
    const gateway = await spawnGateway(['--origin', origin, '--tls-cert', files.cert, '--tls-key', files.key])
    const client = new Http2Client(gateway.port, CA)
    const stream = client.open({ ':path': '/slow' })
    const answer = answerOf(stream)
    await new Promise((resolve) => stream.once('response', resolve))

    gateway.signal('SIGTERM')

    expect(await answer).toMatchObject({ body: 'begun and ended' })
    expect((await gateway.ended).code).toBe(0)
    expect(client.goaways[0]).toBe(0)
  })
})
