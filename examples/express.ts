/**
 * Express 5 with the middleware before its handlers. PORT 0 takes any free one.
 * Run it after `npm run build`: PORT=3000 node examples/express.ts, then twice: curl -si http://127.0.0.1:3000/products/7
 */
import express from 'express'
import { forecache } from 'forecache/express'

const cached = forecache({
  routes: [{ name: 'product', match: { path: '/products/:id' }, budget: { fresh: '30s', stale: '2m' }, tags: ['product:{id}'] }],
})
const app = express()
app.use(cached)
app.get('/products/:id', (request, response) => {
  response.json({ id: Number(request.params.id), readAt: new Date().toISOString() })
})
app.put('/products/:id', async (request, response) => {
  await cached.cache.invalidate({ tags: [`product:${request.params.id}`] })
  response.sendStatus(204)
})

const server = app.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1', () => {
  const address = server.address()
  console.log(`http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/products/7`)
})
