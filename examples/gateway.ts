/**
 * The gateway inside your own process, before an API of its own. Run it after `npm run build`: node examples/gateway.ts
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createGateway } from 'forecache/gateway'

const api = createServer((_, response) => {
  response.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'max-age=30' }).end('hello')
})
await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve))
const { port } = api.address() as AddressInfo

const gateway = createGateway({
  origin: { url: `http://127.0.0.1:${port}` },
  listen: '127.0.0.1:0',
  api: { listen: '127.0.0.1:0' },
})
const { listen } = await gateway.listen()
for (let i = 0; i < 2; i += 1) {
  const response = await fetch(`http://${listen.host}:${listen.port}/`)
  console.log(response.headers.get('x-cache'), await response.text())
}
await gateway.close()
api.close()
