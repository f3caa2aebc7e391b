import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Cache, createCache } from '../../../src/flow/cache.ts'
import type { ApiRequest } from '../../../src/model/endpoint.ts'
import { Fields } from '../../../src/model/fields.ts'
import { createVirtualClock, settle, type VirtualClock } from '../../../src/model/virtual-clock.ts'
import { engineSource, STREAM_LIMITS, Streams } from '../../../src/ops/stream.ts'

let clock: VirtualClock
let cache: Cache
let streams: Streams

beforeEach(() => {
  clock = createVirtualClock()
  cache = createCache({ clock })
  streams = new Streams(engineSource(cache.engine), { ...STREAM_LIMITS, maxClients: 2, maxQueue: 5 })
})

afterEach(() => {
  streams.close()
  return cache.close()
})

function open(events: string, signal: AbortSignal = new AbortController().signal): AsyncIterator<string> {
  const request: ApiRequest = {
    method: 'GET',
    path: '/v1/stream',
    params: {},
    query: new URLSearchParams({ events }),
    fields: Fields.from(),
    body: new Uint8Array(0),
    signal,
  }
  const reply = streams.endpoint.handle(request) as { body: AsyncIterable<string> }
  return reply.body[Symbol.asyncIterator]()
}

describe('stream: events for many clients, bounded', () => {
  it('drops for a client that reads too slowly, and says how many', async () => {
    const client = open('keep:store')
    await client.next()

    for (let i = 0; i < 20; i += 1) await cache.set(`k${i}`, i)
    const chunk = (await client.next()).value as string

    expect(chunk.match(/^event: keep:store$/gm)).toHaveLength(5)
    expect(chunk).toContain('event: dropped\ndata: {"events":15}\n\n')
    await cache.set('later', 1)
    expect((await client.next()).value).not.toContain('dropped')
  })

  it('says that it is still here after a silence', async () => {
    const client = open('keep:store')
    await client.next()
    const next = client.next()

    await clock.advanceAsync(15_000)

    expect((await next).value).toBe(': still here\n\n')
  })

  it('sends statistics each second', async () => {
    const client = open('stats')
    await client.next()
    const next = client.next()

    await clock.advanceAsync(1000)

    expect((await next).value).toMatch(/^event: stats\ndata: \{"entries":0/)
  })

  it('refuses more clients than its bound, and takes one again when one has left', async () => {
    const first = open('stats')
    await first.next()
    await open('stats').next()
    expect(() => open('stats')).toThrow(expect.objectContaining({ code: 'FC_API_BUSY' }))

    await first.return?.()
    expect(() => open('stats')).not.toThrow()
  })

  it('ends for a client that goes while it waits, and leaves no timer', async () => {
    const leaving = new AbortController()
    const client = open('stats', leaving.signal)
    await client.next()
    const next = client.next()
    await settle()

    leaving.abort()

    expect((await next).done).toBe(true)
    expect(streams.size).toBe(0)
    expect(clock.pending).toBe(0)
  })
})
