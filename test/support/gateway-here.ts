/**
 * A gateway inside the test's own process, before any origin, on free ports.
 */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Gateway, GatewayOptions } from '../../src/entry/gateway.ts'
import type { Clock } from '../../src/model/clock.ts'
import { parseConfig } from '../../src/server/config.ts'
import { createGateway } from '../../src/server/gateway.ts'

/** A gateway that listens. */
export interface GatewayHere {
  readonly gateway: Gateway
  readonly port: number
  readonly apiPort: number
  readonly url: string
}

/** What a test may set; addresses are free ones. */
export type Wish = Omit<Partial<GatewayOptions>, 'origin'> & { readonly origin?: Omit<GatewayOptions['origin'], 'url'> }

/**
 * Starts a gateway for this test and closes it behind it.
 *
 * @param clock default: the system's
 */
export async function gatewayBefore(originUrl: string, wish: Wish = {}, clock?: Clock): Promise<GatewayHere> {
  const { origin, api, logger, ...more } = wish
  const values = {
    origin: { url: originUrl, ...origin },
    listen: '127.0.0.1:0',
    api: { listen: '127.0.0.1:0', ...api },
    ...more,
  }
  const gateway = createGateway(parseConfig({ values }), logger, clock)
  const { listen, api: onApi } = await gateway.listen()
  onTestFinished(() => gateway.close(0))
  return { gateway, port: listen.port, apiPort: onApi.port, url: `http://127.0.0.1:${listen.port}` }
}

/** A `node:http` origin for this test; its URL. */
export async function originHere(listener: RequestListener, prepare: (server: Server) => void = () => {}): Promise<string> {
  const server = createServer(listener)
  prepare(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
