/**
 * A gateway with TLS inside the test's own process, and the certificates to reach it by.
 */
import type { RequestListener } from 'node:http'
import { onTestFinished } from 'vitest'
import type { Logger } from '../../src/model/port.ts'
import { parseConfig } from '../../src/server/config.ts'
import { createGateway, type Gateway } from '../../src/server/gateway.ts'
import { makeCertificate } from './certificate.ts'
import { originHere } from './gateway-here.ts'

export const AUTHORITY = makeCertificate({ names: ['Test Authority'], authority: true })
export const PAIR = makeCertificate({ issuer: AUTHORITY })
/** What clients trust. */
export const CA = AUTHORITY.cert

/** Sections as a configuration file has them. */
export type Sections = Readonly<Record<string, unknown>>

/** A gateway that listens with TLS. */
export interface SecuredGateway {
  readonly gateway: Gateway
  /** What it was configured with. */
  readonly values: Sections & { readonly tls: object; readonly api: object }
  /** What it logged. */
  readonly lines: readonly string[]
  readonly port: number
  readonly apiPort: number
}

/** Starts a gateway with TLS for this test, before an origin or its URL, and closes it behind it. */
export async function secured(origin: RequestListener | string, more: Sections = {}): Promise<SecuredGateway> {
  const url = typeof origin === 'string' ? origin : await originHere(origin)
  const lines: string[] = []
  const note = (...[given, text]: unknown[]): void => void lines.push(`${String(text)} ${JSON.stringify(given)}`)
  const logger: Logger = { debug() {}, info: note, warn: note, error: note }
  const values = {
    listen: '127.0.0.1:0',
    tls: { cert: PAIR.cert, key: PAIR.key },
    ...more,
    origin: { url, ...(more['origin'] as object | undefined) },
    api: { listen: '127.0.0.1:0', ...(more['api'] as object | undefined) },
  }
  const gateway = createGateway(parseConfig({ values }), logger)
  const { listen, api } = await gateway.listen()
  onTestFinished(() => gateway.close(0))
  return { gateway, values, lines, port: listen.port, apiPort: api.port }
}
