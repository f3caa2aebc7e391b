/**
 * A user's applications with the middleware of each framework, against the built package's types.
 */
import express from 'express'
import fastify from 'fastify'
import { createCache } from 'forecache'
import { forecache as forExpress, type MiddlewareOptions } from 'forecache/express'
import { forecache as forFastify } from 'forecache/fastify'
import { forecache as forFetch } from 'forecache/fetch'
import { forecache as forHono } from 'forecache/hono'
import { forecache as forKoa } from 'forecache/koa'
import { forecache as forNode } from 'forecache/node'
import { Hono } from 'hono'
import Koa from 'koa'
import { createServer } from 'node:http'

const cache = createCache()
const options: MiddlewareOptions = { cache, budget: { fresh: '30s', stale: '2m' }, tags: ['all'], path: '/api/*' }

// @ts-expect-error no such option
forExpress({ bugdet: '30s' })

export const onExpress = express().use(forExpress(options))
export const onFastify = fastify().register(forFastify(options))
export const onHono = new Hono().use(forHono(options))
export const onKoa = new Koa().use(forKoa(options))
export const onNode = createServer(forNode(options)((_, response) => response.end('hello')))
export const onFetch: (request: Request) => Promise<Response> = forFetch(options)(() => new Response('hello'))

export async function close(): Promise<void> {
  const middleware = forExpress(options)
  await middleware.cache.invalidate({ tags: ['all'] })
  await middleware.close()
}
