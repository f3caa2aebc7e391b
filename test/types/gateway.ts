/**
 * A user's gateway against the built package's types.
 */
import { createGateway, type GatewayOptions } from 'forecache/gateway'

export const options: GatewayOptions = {
  origin: { url: 'http://127.0.0.1:3000' },
  listen: '127.0.0.1:0',
  routes: [{ name: 'products', match: { path: '/api/products/:id' }, budget: '30s', tags: ['product:{id}'] }],
}

export async function start(): Promise<void> {
  const gateway = createGateway(options)
  await gateway.listen()
}
