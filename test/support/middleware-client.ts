/**
 * A client of `node:http` that decodes nothing: status, fields and bytes as they came.
 */
import { type IncomingHttpHeaders, request } from 'node:http'
import { expect } from 'vitest'
import { createCache } from '../../src/flow/cache.ts'
import type { MiddlewareOptions } from '../../src/http/middleware.ts'
import { createVirtualClock } from '../../src/model/virtual-clock.ts'
import type { Host, Script, Seen, Site } from './middleware-hosts.ts'

/** An answer as it came. */
export interface Got {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly text: string
}

/** What to ask besides the path. */
export interface Ask {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

/** One request on a connection of its own; rejects when the answer breaks off. */
export function ask(site: Site, path: string, { method = 'GET', headers = {}, body }: Ask = {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    const req = request(`${site.url}${path}`, { method, headers, agent: false }, (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.on('error', reject)
      res.on('end', () => {
        const whole = Buffer.concat(chunks)
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: whole, text: whole.toString() })
      })
    })
    req.on('error', reject)
    req.end(body)
  })
}

/** Waits for something that other tasks bring about. */
export async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2000 && !holds(); turn += 1) await new Promise((resolve) => setImmediate(resolve))
  expect(holds()).toBe(true)
}

/** A body in chunks, each in a turn of its own. */
export async function* inChunks(count: number, size: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i += 1) {
    await new Promise((resolve) => setImmediate(resolve))
    yield Buffer.alloc(size, 65 + (i % 26))
  }
}

/** Something to wait at until it is opened. */
export function gate(): { readonly open: () => void; readonly passed: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { open: resolve, passed: promise }
}

/** A site whose handler is counted, with a cache on a virtual clock. */
export async function openStand(host: Host, script: Script, { options, times }: { options: MiddlewareOptions; times: number }) {
  const clock = createVirtualClock()
  const cache = createCache({ clock })
  const seen: Seen[] = []
  const counted: Script = (one) => {
    seen.push(one)
    return script(one)
  }
  const place = await host.open(counted, { cache, ...options }, times)
  return { ...place, cache, clock, seen, runs: () => seen.length }
}
