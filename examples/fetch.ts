/**
 * Any fetch handler, Request to Response: the cache needs no server. Run it after `npm run build`: node examples/fetch.ts
 */
import { forecache } from 'forecache/fetch'

let calls = 0
const handler = async (request: Request): Promise<Response> => {
  calls += 1
  return Response.json({ path: new URL(request.url).pathname, calls })
}

const cached = forecache({ budget: '30s' })(handler)
for (let i = 0; i < 2; i += 1) {
  const response = await cached(new Request('http://shop.example/a?b=1'))
  console.log(response.headers.get('x-cache'), await response.text())
}
