/**
 * A request on its way to the origin: its fields, and its content chunk by chunk, telling when it waits for the client.
 *
 * Floor 5, room server. The origin's deadline counts only while the origin is awaited, never while the client is; and
 * `return()` reaches the client's side at once, even while a chunk is awaited.
 */
import type { BodySource, RequestHead } from '../model/exchange.ts'
import { ClientBody } from './client-body.ts'

/** Whom a sending waits for: `client` while the next chunk is asked for, `origin` at all other times. */
export type OnWait = (whom: 'client' | 'origin') => void

/** A body that can be given up from outside. */
export interface MeteredBody extends BodySource {
  cancel(): void
}

/** @param body the client's content */
export function meterBody(body: BodySource, onWait: OnWait): MeteredBody {
  const source = body[Symbol.asyncIterator]()
  const cancel = (): void => void source.return?.().catch(() => {})
  return {
    cancel,
    [Symbol.asyncIterator]: () => ({
      async next() {
        onWait('client')
        const step = await source.next()
        onWait('origin')
        return step
      },
      return() {
        cancel()
        return Promise.resolve({ value: undefined, done: true })
      },
    }),
  }
}

/** A body whose client announced trailer fields that may be passed on. */
export type TrailedBody = ClientBody & { readonly announced: string }

export function trailedBody(body: BodySource | undefined): TrailedBody | undefined {
  return body instanceof ClientBody && body.announced !== undefined ? (body as TrailedBody) : undefined
}

const HOP: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'expect',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'proxy-connection',
])

/** What an origin's URL puts before every target: its path without the last slash. */
export function pathPrefix(url: URL): string {
  return url.pathname === '/' ? '' : url.pathname.replace(/\/$/, '')
}

/** The flat list of fields to write: Host first, no hop-by-hop field, a length only where there is content. */
export function requestFields(head: RequestHead, hasBody: boolean): string[] {
  const list = ['host', head.fields.first('host') ?? head.authority]
  const raw = head.fields.raw()
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string
    if (HOP.has(name) || (name === 'content-length' && !hasBody)) continue
    list.push(name, raw[i + 1] as string)
  }
  return list
}
