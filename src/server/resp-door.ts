/**
 * The Redis door of a process: its port, its clients, and what stands behind them.
 *
 * Floor 5, room server. Owns what it creates and closes it. With an upstream it is a front, without one it keeps the data
 * itself.
 */
import type { Cache } from '../flow/cache.ts'
import type { MountNotes } from '../flow/mount-notes.ts'
import { ForecacheError } from '../model/errors.ts'
import type { PrometheusContentType, Registry } from 'prom-client'
import { isExposed } from './api.ts'
import type { Config } from './config-schema.ts'
import type { ListenAddress, ListenWish } from './listener.ts'
import type { RespDoorParts, RespBack } from './resp-back.ts'
import { createEmbeddedBack } from './resp-embedded.ts'
import { createProxyBack } from './resp-proxy.ts'
import { followHeld } from './resp-held.ts'
import { exposeGauges } from './resp-metrics.ts'
import { RespListener } from './resp-listener.ts'
import type { RespSettings } from './resp-schema.ts'
import { TlsKeeper } from './tls-keeper.ts'

/** See the module's header. */
export interface RespDoor {
  /** Whether memory may answer: the upstream tells of every change, or there is none. */
  readonly isCovered: boolean
  /** Adds gauges. */
  expose(registry: Registry<PrometheusContentType>, prefix: string | undefined): void
  /** @throws FC_RESP_EXPOSED, or what the system says of the address */
  listen(at?: ListenWish): Promise<ListenAddress>
  /** Reads certificates again. @throws FC_TLS_*; then the former ones stay */
  renew(config: Config): void
  close(deadlineMs: number): Promise<void>
  kill(): void
}

/** @throws FC_OPTION_*, FC_TLS_* */
export function createRespDoor(config: Config, parts: RespDoorParts): RespDoor {
  const settings = config.resp as RespSettings
  const { engine, logger, cache } = parts
  const back: RespBack = settings.upstream === undefined ? createEmbeddedBack(config, parts) : createProxyBack(config, parts)
  const mounted = mountDoor(cache, settings.namespace, back)
  let accepted = 0
  engine.meter.follow('respConnections', () => accepted)
  const keeper =
    settings.tls &&
    new TlsKeeper(settings.tls, { name: 'resp.tls', clock: engine.clock, logger, onChange: (one) => listener.renew(one) })
  const listener: RespListener = new RespListener({
    maxClients: settings.limits.clients,
    clock: engine.clock,
    tls: keeper?.credentials,
    accept: (socket) => {
      accepted += 1
      return back.accept(socket)
    },
    onRefused: () => back.refused(),
  })
  const held = followHeld(engine, listener.clients, {
    get heldBytes() {
      return back.heldBytes + mounted.notes.bytes
    },
    overflowed: () => back.overflowed(),
  })
  return {
    get isCovered() {
      return back.gauges.isCovered
    },
    expose(registry, prefix = 'forecache_') {
      exposeGauges(registry, prefix, () => ({ ...back.gauges, clients: listener.clients.size }))
    },
    async listen(at = settings.listen) {
      if (isExposed(at) && !isProtected(settings)) throw new ForecacheError('FC_RESP_EXPOSED', { given: `${at.host}:${at.port}` })
      await back.open()
      return listener.listen(at)
    },
    renew({ resp }) {
      if (resp?.tls !== undefined) keeper?.renew(resp.tls)
    },
    async close(deadlineMs) {
      keeper?.close()
      held.stop()
      mounted.end()
      await listener.close(deadlineMs)
      await back.close()
    },
    kill: () => {
      held.stop()
      listener.destroy()
    },
  }
}

/** Has everybody in this process read and write the door's values in its namespace. */
function mountDoor(cache: Cache, namespace: string, back: RespBack): { readonly notes: MountNotes; end(): void } {
  const { alone } = back
  const mount = back.mount((socket) => void back.accept(socket))
  const { view, end } = cache.mounts.mount(namespace, mount, alone && ((key) => alone.stands(key)))
  alone?.noted(view.notes)
  cache.namespace(namespace)
  return { notes: view.notes, end }
}

/** Whether who is not allowed to gets nowhere: a login, a certificate, or the user's word that he knows. */
function isProtected({ insecure, password, upstream, tls }: RespSettings): boolean {
  if (insecure || tls?.ca !== undefined) return true
  return upstream === undefined ? password !== undefined : new URL(upstream).password !== ''
}
