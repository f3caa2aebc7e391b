/**
 * The six frameworks behind one face: a script says what the handler answers, each host says it in its own way, a real
 * server listens. `before` runs ahead of forecache on every request and sets `x-request`; `inside` marks what passes it.
 */
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { createAdaptorServer } from '@hono/node-server'
import express from 'express'
import fastify from 'fastify'
import { Hono } from 'hono'
import Koa from 'koa'
import { forecache as forExpress } from '../../src/entry/express.ts'
import { forecache as forFastify } from '../../src/entry/fastify.ts'
import { forecache as forFetch } from '../../src/entry/fetch.ts'
import { forecache as forHono } from '../../src/entry/hono.ts'
import { forecache as forKoa } from '../../src/entry/koa.ts'
import { forecache as forNode, type MiddlewareOptions } from '../../src/entry/node.ts'

/** What a handler sees. */
export interface Seen {
  readonly method: string
  readonly path: string
  header(name: string): string | undefined
}

/** What it answers. */
export interface Play {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /** Sent by the framework's way for JSON. */
  readonly json?: unknown
  readonly text?: string
  readonly bytes?: Uint8Array
  readonly chunks?: () => AsyncIterable<Uint8Array>
}

/** The application. */
export type Script = (seen: Seen) => Play | Promise<Play>

/** A listening server. */
export interface Site {
  readonly url: string
  close(): Promise<void>
}

/** One framework. */
export interface Host {
  readonly name: string
  /** @param times how many times the middleware is registered */
  open(script: Script, options: MiddlewareOptions, times?: number): Promise<Site>
}

let requests = 0
const requestId = (): string => String((requests += 1))

/** Listens on a free port. */
export async function listen(server: Server): Promise<Site> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

function seenBy(method: string, path: string, headers: IncomingMessage['headers']): Seen {
  return { method, path, header: (name) => headers[name] as string | undefined }
}

function linesOf(play: Play): [string, string | string[]][] {
  return Object.entries(play.headers ?? {}).map(([name, value]) => [name, typeof value === 'string' ? value : [...value]])
}

async function writePlain(res: ServerResponse, play: Play): Promise<void> {
  const { json, text, bytes, chunks } = play
  for (const [name, value] of linesOf(play)) res.setHeader(name, value)
  if (json !== undefined && !res.hasHeader('content-type')) res.setHeader('Content-Type', 'application/json')
  res.writeHead(play.status ?? 200)
  if (chunks === undefined) return void res.end(bytes ?? text ?? (json === undefined ? undefined : JSON.stringify(json)))
  try {
    for await (const chunk of chunks()) if (!res.write(chunk)) await new Promise((resolve) => res.once('drain', resolve))
    res.end()
  } catch (error) {
    res.destroy(error as Error)
  }
}

const node: Host = {
  name: 'node:http',
  open(script, options, times = 1) {
    let listener: (req: IncomingMessage, res: ServerResponse) => unknown = async (req, res) => {
      let play: Play
      try {
        play = await script(seenBy(req.method ?? '', req.url ?? '', req.headers))
      } catch {
        play = { status: 500, text: 'failed' }
      }
      await writePlain(res, play)
    }
    for (let i = 0; i < times; i += 1) listener = forNode(options)(listener)
    const before: RequestListener = (req, res) => {
      res.setHeader('X-Request', requestId())
      void listener(req, res)
    }
    return listen(createServer(before))
  },
}

const expressHost: Host = {
  name: 'express',
  open(script, options, times = 1) {
    const app = express()
    app.use((_req, res, next) => {
      res.set('X-Request', requestId())
      next()
    })
    for (let i = 0; i < times; i += 1) app.use(forExpress(options))
    // oxlint-disable-next-line no-async-endpoint-handlers -- Express 5 takes promises
    app.use(async (req, res) => {
      const play = await script(seenBy(req.method, req.originalUrl, req.headers))
      res.status(play.status ?? 200)
      for (const [name, value] of linesOf(play)) res.setHeader(name, value)
      if (play.json !== undefined) res.json(play.json)
      else if (play.chunks !== undefined)
        Readable.from(play.chunks())
          .on('error', (error) => res.destroy(error))
          .pipe(res)
      else if (play.bytes !== undefined) res.send(Buffer.from(play.bytes))
      else res.send(play.text)
    })
    app.use(((_error, _req, res, _next) => void res.status(500).send('failed')) satisfies express.ErrorRequestHandler)
    return listen(createServer(app))
  },
}

const fastifyHost: Host = {
  name: 'fastify',
  async open(script, options, times = 1) {
    const app = fastify()
    app.addHook('onRequest', async (_request, reply) => void reply.header('X-Request', requestId()))
    for (let i = 0; i < times; i += 1) await app.register(forFastify(options))
    app.setErrorHandler((_error, _request, reply) => reply.code(500).type('text/plain').send('failed'))
    app.addContentTypeParser('*', (_request, payload, done) => {
      payload.resume()
      done(null)
    })
    app.all('/*', async (request, reply) => {
      const play = await script(seenBy(request.method, request.originalUrl, request.headers))
      reply.code(play.status ?? 200)
      for (const [name, value] of linesOf(play)) reply.header(name, value)
      if (play.chunks !== undefined) return reply.send(Readable.from(play.chunks()))
      return reply.send(play.json ?? play.text ?? (play.bytes === undefined ? undefined : Buffer.from(play.bytes)))
    })
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    return {
      url,
      close: async () => {
        app.server.closeAllConnections()
        await app.close()
      },
    }
  },
}

const koaHost: Host = {
  name: 'koa',
  open(script, options, times = 1) {
    const app = new Koa()
    app.on('error', () => {})
    app.use(async (ctx, next) => {
      ctx.set('X-Request', requestId())
      await next()
    })
    for (let i = 0; i < times; i += 1) app.use(forKoa(options))
    app.use(async (ctx) => {
      const play = await script(seenBy(ctx.method, ctx.originalUrl, ctx.headers))
      ctx.status = play.status ?? 200
      for (const [name, value] of linesOf(play)) ctx.set(name, value)
      if (play.chunks !== undefined) ctx.body = Readable.from(play.chunks())
      else ctx.body = play.json ?? play.text ?? (play.bytes === undefined ? null : Buffer.from(play.bytes))
      ctx.status = play.status ?? 200
    })
    return listen(createServer(app.callback()))
  },
}

function responseOf(play: Play): Response {
  const headers = new Headers()
  for (const [name, value] of linesOf(play)) for (const line of [value].flat()) headers.append(name, line)
  if (play.json !== undefined && !headers.has('content-type')) headers.set('content-type', 'application/json')
  const { chunks } = play
  const body =
    chunks === undefined
      ? (play.bytes ?? play.text ?? (play.json === undefined ? null : JSON.stringify(play.json)))
      : Readable.toWeb(Readable.from(chunks()))
  return new Response(body as ConstructorParameters<typeof Response>[0], { status: play.status ?? 200, headers })
}

function seenOf(request: Request): Seen {
  const { pathname, search } = new URL(request.url)
  return { method: request.method, path: pathname + search, header: (name) => request.headers.get(name) ?? undefined }
}

const honoHost: Host = {
  name: 'hono',
  open(script, options, times = 1) {
    const app = new Hono()
    app.use(async (c, next) => {
      await next()
      c.header('X-Request', requestId())
    })
    for (let i = 0; i < times; i += 1) app.use(forHono(options))
    app.all('*', async (c) => responseOf(await script(seenOf(c.req.raw))))
    app.onError((_error, c) => c.text('failed', 500))
    return listen(createAdaptorServer({ fetch: app.fetch }) as Server)
  },
}

const fetchHost: Host = {
  name: 'fetch',
  open(script, options, times = 1) {
    let handler = async (request: Request): Promise<Response> => {
      try {
        return responseOf(await script(seenOf(request)))
      } catch {
        return new Response('failed', { status: 500 })
      }
    }
    for (let i = 0; i < times; i += 1) handler = forFetch(options)(handler)
    const before = async (request: Request): Promise<Response> => {
      const response = await handler(request)
      response.headers.set('x-request', requestId())
      return response
    }
    return listen(createAdaptorServer({ fetch: before }) as Server)
  },
}

/** All hosts. */
export const HOSTS: readonly Host[] = [expressHost, fastifyHost, koaHost, honoHost, node, fetchHost]
