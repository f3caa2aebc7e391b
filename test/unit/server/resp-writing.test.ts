import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { writeSocket } from '../../../src/server/resp-writing.ts'

const open: Server[] = []
afterEach(() => {
  for (const server of open.splice(0)) server.close()
})

async function pair(): Promise<{ readonly here: Socket; readonly there: Socket }> {
  const server = createServer({ allowHalfOpen: true })
  open.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const there = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [here] = (await once(server, 'connection')) as [Socket]
  return { here, there }
}

async function rest(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

test('small writes arrive in order, and the stream is left out from the second on', async () => {
  const { here, there } = await pair()
  const spied = vi.spyOn(here, 'write')
  for (let i = 0; i < 100; i += 1) writeSocket(here, Buffer.from(`${i},`))
  here.end()
  const read = await rest(there)
  expect(read.toString()).toBe(Array.from({ length: 100 }, (_, i) => `${i},`).join(''))
  expect(spied.mock.calls.length).toBeLessThan(100)
  here.destroy()
})

test('what the kernel does not take at once is the stream’s: order, length, drain and end', async () => {
  const { here, there } = await pair()
  there.pause()
  const sent: Buffer[] = []
  for (let i = 0; here.writableLength === 0; i += 1) {
    const bytes = Buffer.alloc(60_000 + i, i)
    sent.push(bytes)
    writeSocket(here, bytes)
  }
  expect(here.writableLength).toBe(sent.at(-1)?.length)
  for (let i = 0; i < 3; i += 1) {
    const bytes = Buffer.alloc(70_000, 200 + i)
    sent.push(bytes)
    writeSocket(here, bytes)
  }
  expect(here.writableNeedDrain).toBe(true)
  const drained = once(here, 'drain')
  const read = rest(there)
  await drained
  writeSocket(here, Buffer.from('behind'))
  here.destroySoon()
  expect((await read).equals(Buffer.concat([...sent, Buffer.from('behind')]))).toBe(true)
})

test('destroySoon right behind a write that is under way loses nothing', async () => {
  const { here, there } = await pair()
  there.pause()
  let bytes = 0
  for (; here.writableLength === 0; bytes += 100_000) writeSocket(here, Buffer.alloc(100_000, 1))
  here.destroySoon()
  expect((await rest(there)).length).toBe(bytes)
})

test('a peer that is gone is told as the stream tells it', async () => {
  const { here, there } = await pair()
  const closed = new Promise((resolve) => here.once('close', resolve))
  const errors: unknown[] = []
  here.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code))
  there.resetAndDestroy()
  await once(there, 'close')
  for (let i = 0; !here.destroyed && i < 1000; i += 1) {
    writeSocket(here, Buffer.from('x'))
    await new Promise(setImmediate)
  }
  await closed
  expect(errors.every((code) => code === 'EPIPE' || code === 'ECONNRESET')).toBe(true)
})

test('a socket with a timeout, or not yet connected, is written by its stream', async () => {
  const { here, there } = await pair()
  here.setTimeout(60_000)
  const spied = vi.spyOn(here, 'write')
  writeSocket(here, Buffer.from('a'))
  writeSocket(here, Buffer.from('b'))
  expect(spied).toHaveBeenCalledTimes(2)
  const early = connect(here.localPort as number, '127.0.0.1')
  writeSocket(early, Buffer.from('c'))
  expect(early.writableLength).toBe(1)
  early.destroy()
  here.end()
  expect((await rest(there)).toString()).toBe('ab')
})
