/**
 * Writes a door's reply to a `ServerResponse` that other middleware may have prepared.
 *
 * Floor 4, room http. Fields that stand on the response stay, unless the reply names them: middleware that ran before
 * sets its own on every request, hit or miss. A stream that breaks takes the connection with it, so that no client
 * mistakes a part for the whole.
 */
import type { ServerResponse } from 'node:http'
import type { BodySource, Reply } from '../model/exchange.ts'
import type { Outlet } from './capture.ts'
import { CONNECTION_FIELDS, discard } from './outgoing.ts'
import { REMOVED_FIELD } from './virtual-head.ts'

/** Fields that node writes itself. */
const OURS: ReadonlySet<string> = new Set([...CONNECTION_FIELDS, REMOVED_FIELD])

/** Resolves when the answer is handed over or the client has gone. @throws when the response refuses head or body */
export async function deliver(res: ServerResponse, reply: Reply, outlet: Outlet = res): Promise<void> {
  const { body } = reply
  if (res.destroyed) return discard(body)
  const bodiless = res.req.method === 'HEAD' || reply.head.status === 204 || reply.head.status === 304
  writeHead(reply, outlet, bodiless)
  if (bodiless || body === undefined || body instanceof Uint8Array) {
    if (bodiless) discard(body)
    outlet.end(bodiless ? undefined : (body as Uint8Array | undefined))
    return
  }
  await stream(res, body, outlet)
  if (res.destroyed) return
  const trailers = reply.trailers?.()
  if (trailers !== undefined && res.chunkedEncoding) outlet.addTrailers([...trailers] as [string, string][])
  outlet.end()
}

function writeHead({ head, body }: Reply, outlet: Outlet, bodiless: boolean): void {
  const { fields } = head
  const isStream = !bodiless && body !== undefined && !(body instanceof Uint8Array)
  for (const name of (fields.get(REMOVED_FIELD) ?? '').split(', ')) if (name !== '') outlet.removeHeader(name)
  for (const name of fields.names()) {
    if (OURS.has(name) || (name === 'trailer' && !isStream)) continue // node refuses it where no trailers can follow
    const lines = fields.all(name)
    outlet.setHeader(name, lines.length === 1 ? (lines[0] as string) : lines)
  }
  if (bodiless ? head.status === 204 : body === undefined) outlet.removeHeader('content-length')
  if (!bodiless && body instanceof Uint8Array) outlet.setHeader('content-length', String(body.byteLength))
  if (head.statusText === '') outlet.writeHead(head.status)
  else outlet.writeHead(head.status, head.statusText)
}

async function stream(res: ServerResponse, body: BodySource, outlet: Outlet): Promise<void> {
  const source = body[Symbol.asyncIterator]()
  const stop = (): void => void source.return?.().catch(() => {})
  outlet.once('close', stop)
  // A head whose first chunk is not there at once goes out alone; else both leave in one write.
  const flush = setImmediate(() => outlet.flushHeaders())
  try {
    for (;;) {
      const step = await source.next()
      clearImmediate(flush)
      if (step.done === true || res.destroyed) break
      if (!outlet.write(step.value)) await drained(res, outlet)
    }
  } catch {
    outlet.destroy()
  } finally {
    clearImmediate(flush)
    res.off('close', stop)
    if (res.destroyed) stop()
  }
}

function drained(res: ServerResponse, outlet: Outlet): Promise<void> {
  if (res.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      res.off('close', done)
      resolve()
    }
    outlet.once('close', done)
    outlet.once('drain', done)
  })
}
