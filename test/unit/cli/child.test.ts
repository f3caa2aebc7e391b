import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { startChild } from '../../../src/cli/demo/child.ts'
import { freeAddress } from '../../../src/cli/demo/port.ts'

const directory = mkdtempSync(join(tmpdir(), 'forecache-child-'))
afterAll(() => rmSync(directory, { recursive: true }))

let scripts = 0
function script(text: string): string {
  scripts += 1
  const file = join(directory, `${scripts}.mjs`)
  writeFileSync(file, text)
  return file
}

const start = (text: string, readyMs = 10_000, signal?: AbortSignal) =>
  startChild({ name: 'the child', script: script(text), args: ['--a', 'b'], readyMs, ...(signal && { signal }) })

describe('child: processes of the demo', () => {
  it('is ready with the fields of its ready line, other lines aside', async () => {
    const child = await start(
      `console.log('hello'); console.log('{"msg":"other"}'); console.log('{broken'); console.log(JSON.stringify({ msg: 'ready', args: process.argv.slice(2) })); setInterval(() => {}, 1000)`,
    )

    expect(child.ready).toEqual({ msg: 'ready', args: ['--a', 'b'] })
    await child.stop()
    await child.stop()
  })

  it('tells how a child ended before it was ready, and the last it wrote', async () => {
    await expect(start(`console.error('no database here'); process.exitCode = 3`)).rejects.toMatchObject({
      code: 'FC_CLI_CHILD',
      message: 'FC_CLI_CHILD: the child ended (code 3); the last it wrote: no database here',
    })
  })

  it('waits no longer than told, and ends the child', async () => {
    await expect(start(`setInterval(() => {}, 1000) // never`, 150)).rejects.toMatchObject({
      message: 'FC_CLI_CHILD: the child was not ready within 0.15 s; the last it wrote: nothing',
    })
  })

  it('says when a child is lost, but not when it was stopped', async () => {
    const lost = await start(`console.log('{"msg":"ready"}'); setTimeout(() => process.exit(7), 50)`)
    expect(await lost.lost).toMatch(/^the child ended \(code 7\); the last it wrote: /)

    const stopped = await start(`console.log('{"msg":"ready"}'); setInterval(() => {}, 500)`)
    await stopped.stop()
    expect(await Promise.race([stopped.lost, Promise.resolve('quiet')])).toBe('quiet')
  })

  it('ends a child that is not ready yet when the demo is interrupted', async () => {
    const controller = new AbortController()
    const starting = start(`setInterval(() => {}, 1000) // interrupted`, 10_000, controller.signal)
    controller.abort()

    await expect(starting).rejects.toMatchObject({ code: 'FC_CLI_CHILD' })
  })
})

describe('port: addresses of the demo', () => {
  it('keeps a free address and replaces a taken one', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo

    const instead = await freeAddress({ host: '127.0.0.1', port })
    await new Promise((resolve) => server.close(resolve))

    expect(instead.port).not.toBe(port)
    expect(instead.port).toBeGreaterThan(0)
    expect(await freeAddress({ host: '127.0.0.1', port })).toEqual({ host: '127.0.0.1', port })
    expect((await freeAddress({ host: '127.0.0.1', port: 0 })).port).toBeGreaterThan(0)
  })
})
