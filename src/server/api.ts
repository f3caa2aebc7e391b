/**
 * The `api` port: administration, metrics and health, each an Endpoint that another room offers.
 *
 * Floor 5, room server. As strict and bounded as the gateway's own port. Anything but loopback needs keys or an explicit
 * `insecure`; without keys, requests that a foreign web page makes in someone's browser are refused.
 */
import FindMyWay from 'find-my-way'
import type { AddressInfo } from 'node:net'
import type { Contents } from '../flow/contents.ts'
import type { Clock } from '../model/clock.ts'
import type { Endpoint } from '../model/endpoint.ts'
import { ForecacheError } from '../model/errors.ts'
import type { Ledger } from '../model/ledger.ts'
import type { Logger } from '../model/port.ts'
import { receiveApi } from './api-request.ts'
import { parseTrust } from './forward.ts'
import { Intake } from './intake.ts'
import { createKeyring, type Keyring } from './keyring.ts'
import { arenaOf } from './lane-arena.ts'
import { createCacheLane } from './lane-cache.ts'
import type { LaneDesk } from './lane-desk.ts'
import { type ListenAddress, Listener } from './listener.ts'
import { TlsKeeper } from './tls-keeper.ts'
import type { TlsSettings } from './tls-schema.ts'

/** What an api port is made of. */
export interface ApiOptions {
  readonly endpoints: readonly Endpoint[]
  readonly keys: readonly string[]
  readonly insecure: boolean
  readonly clock: Clock
  readonly logger: Logger
  /** Where contents of requests are charged while they are read. */
  readonly ledger?: Ledger | undefined
  /** Values of the native cache API that are read in the lane; undefined: everything goes through the full stack. */
  readonly contents?: Contents | undefined
  /** HTTPS; undefined: plain HTTP. */
  readonly tls?: TlsSettings | undefined
}

/** See the module's header. */
export interface ApiServer {
  /** @throws FC_LISTEN_EXPOSED when the address is not loopback and there are no keys */
  listen(at: ListenAddress): Promise<AddressInfo>
  /** Takes other keys at once. */
  setKeys(keys: readonly string[]): void
  /** Reads certificates again. @throws FC_TLS_*; then the former ones stay */
  renew(tls: TlsSettings | undefined): void
  close(deadlineMs: number): Promise<void>
  /** Cuts every connection now. */
  kill(): void
}

const BOUNDS = {
  maxConnections: 1000,
  maxStreams: 100,
  maxHeadBytes: 32 * 1024,
  maxFields: 100,
  headMs: 10_000,
  requestMs: 60_000,
  writeMs: 30_000,
  keepAliveMs: 60_000,
}
const HEAD_FORM = { via: undefined, keepAliveSeconds: BOUNDS.keepAliveMs / 1000 }
const isLoopback = parseTrust(['loopback'])

/** @throws FC_OPTION_VALUE for a malformed key or two endpoints with one path, FC_TLS_* for certificates */
export function createApi(options: ApiOptions): ApiServer {
  let keyring: Keyring = createKeyring(options.keys)
  const router = FindMyWay({ caseSensitive: true, maxParamLength: 8192 })
  for (const endpoint of options.endpoints) router.on(endpoint.method, endpoint.path, () => {}, endpoint)
  const methods = [...new Set(options.endpoints.map((endpoint) => endpoint.method))]
  const routes = { router, methods, localNamesOnly: !options.insecure, intake: new Intake(options.ledger), keys: () => keyring }
  const { clock, logger, tls, contents } = options
  const openLane = (): LaneDesk | undefined =>
    contents && createCacheLane(contents, routes, { form: HEAD_FORM, arena: arenaOf(contents.engine) })
  let lane = openLane()
  const keeper = tls && new TlsKeeper(tls, { name: 'api.tls', clock, logger, onChange: (one) => listener.secure(one) })
  const listener: Listener = new Listener(
    { ...BOUNDS, tls: keeper?.credentials },
    {
      clock,
      onRequest: (incoming) => void receiveApi(routes, incoming, logger),
      ...(contents === undefined ? {} : { lane: () => lane }),
    },
  )
  return {
    listen(at) {
      checkExposure('api.listen', at, options.insecure || keyring.size > 0)
      return listener.listen(at)
    },
    setKeys(keys) {
      keyring = createKeyring(keys)
      lane = openLane()
    },
    renew(settings) {
      if (settings !== undefined) keeper?.renew(settings)
    },
    close(deadlineMs) {
      keeper?.close()
      return listener.close(deadlineMs)
    },
    kill: () => listener.destroy(),
  }
}

/** Whether others than this machine reach an address. */
export function isExposed({ host }: ListenAddress): boolean {
  return host !== 'localhost' && !isLoopback(host)
}

/** @throws FC_LISTEN_EXPOSED */
export function checkExposure(name: string, at: ListenAddress, allowed: boolean): void {
  if (allowed || !isExposed(at)) return
  throw new ForecacheError('FC_LISTEN_EXPOSED', { name, given: `${at.host}:${at.port}` })
}
