/**
 * The values of a front for the other doors of its process: a client of its own, and its memory.
 *
 * Floor 5, room server. What is invalidated is forgotten and read again: the values are the upstream's.
 */
import type { Socket } from 'node:net'
import type { Mount } from '../flow/mount.ts'
import type { Clock } from '../model/clock.ts'
import { hashText } from '../resp/coherence-hash.ts'
import { Line } from '../resp/line.ts'
import { LineValues } from '../resp/line-values.ts'
import { ProxyMemory } from '../resp/proxy-memory.ts'
import type { ProxyShared } from '../resp/proxy-shared.ts'
import { innerPort } from './resp-inner.ts'
import type { RespSettings } from './resp-schema.ts'
import type { Upstream } from './resp-upstream.ts'

/** What is mounted. */
export interface ProxyMountParts {
  readonly settings: Pick<RespSettings, 'namespace'>
  readonly upstream: Pick<Upstream, 'login'>
  readonly clock: Clock
  readonly shared: ProxyShared
}

/** @param accept takes a client of our own */
export function mountProxy(
  accept: (socket: Socket) => void,
  { settings, upstream, clock, shared }: ProxyMountParts,
): { readonly mount: Mount; close(): void } {
  const { coherence } = shared
  const { login } = upstream
  const names = login === undefined ? [] : login.username === '' ? [login.password] : [login.username, login.password]
  const line = new Line({
    ...{ clock, name: settings.namespace, port: innerPort(accept) },
    greeting: names.length === 0 ? [] : [['AUTH', ...names]],
    isPipelined: false, // a pipeline would keep its own hits out of memory
  })
  const all = (): void => coherence.invalidateAll()
  const forget = { key: (name: string) => coherence.invalidate(hashText(name)), prefix: all, all }
  return { mount: { values: new LineValues(line, new ProxyMemory(shared)), forget }, close: () => line.close() }
}
