import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type GatewayHere, gatewayBefore } from '../../support/gateway-here.ts'

const HEAD_BYTES = 6000
const COUNT = 20

async function origin(): Promise<string> {
  const server = createServer((_, res) => res.writeHead(200, { 'cache-control': 'max-age=60' }).end('x'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

let stored = 0

/** What the ledger says of connections; it is settled with each store. */
async function held({ port, apiPort }: Pick<GatewayHere, 'port' | 'apiPort'>): Promise<number> {
  stored += 1
  await (await fetch(`http://127.0.0.1:${port}/new/${stored}`)).text()
  const text = await (await fetch(`http://127.0.0.1:${apiPort}/metrics`)).text()
  return Number(/^forecache_memory_ledger_bytes\{account="connections"\} (\d+)/m.exec(text)?.[1])
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const endAt = performance.now() + 10_000; performance.now() < endAt; ) {
    if (await holds()) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('waited in vain')
}

describe('heads that the lane remembers', () => {
  it('are charged to connections while they are open, and released when they close', async () => {
    const here = await gatewayBefore(await origin())
    const before = await held(here)

    const sockets: Socket[] = []
    for (let i = 0; i < COUNT; i += 1) {
      const socket = connect(here.port, '127.0.0.1')
      sockets.push(socket)
      const fields = Array.from({ length: 30 }, (_, j) => `x-${i}-${j}: ${'v'.repeat(HEAD_BYTES / 30)}\r\n`).join('')
      for (let asked = 0; asked < 3; asked += 1) {
        socket.write(`GET /a HTTP/1.1\r\nhost: h\r\n${fields}\r\n`)
        await new Promise((resolve) => socket.once('data', resolve))
      }
    }

    await until(async () => (await held(here)) >= before + COUNT * HEAD_BYTES * 3)
    for (const socket of sockets) socket.destroy()
    await until(async () => (await held(here)) < before + COUNT * HEAD_BYTES)
    expect(await held(here)).toBeLessThan(before + COUNT * HEAD_BYTES)
  })
})
