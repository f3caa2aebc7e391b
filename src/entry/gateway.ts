/**
 * `forecache/gateway`: the HTTP gateway inside one's own process.
 *
 * Floor 6, room entry. Names only.
 */
import type { ConfigInput } from '../server/config-schema.ts'
import { parseConfig } from '../server/config.ts'
import { createGateway as assemble, type Gateway } from '../server/gateway.ts'
import type { Logger } from '../model/port.ts'

export { ForecacheError } from '../model/errors.ts'
export type { Logger } from '../model/port.ts'
export { parseConfig } from '../server/config.ts'
export type { Config, ConfigInput } from '../server/config-schema.ts'
export type { Gateway, GatewayAddress, ReloadResult } from '../server/gateway.ts'

/** Options of a gateway: the configuration as in YAML, and a logger. */
export type GatewayOptions = ConfigInput & { readonly logger?: Logger }

/**
 * A gateway that listens once `listen()` is called.
 *
 * @param options sections as in docs/reference/config.md; only `origin.url` is needed
 * @throws FC_OPTION_VALUE naming the option that is wrong
 * @example
 * const gateway = createGateway({ origin: { url: 'http://127.0.0.1:3000' }, listen: '127.0.0.1:0' })
 * const { listen } = await gateway.listen()
 */
export function createGateway(options: GatewayOptions): Gateway {
  const { logger, ...sections } = options
  return assemble(parseConfig({ values: sections }), logger)
}
