/**
 * Which connection a client of node-redis has, and whether hits may be given on it.
 *
 * Floor 5, room register. The client tells nobody of a new connection without an event listener, so its number is compared
 * at each call. What a connection has selected shows in the commands that it is greeted with.
 */
import type { Lane } from './lane.ts'
import { formOf, type NodeRedis, targetOf, type TypeMapping, WRAPPED, type Wrapped } from './node-redis-shape.ts'
import { runIdOf } from './run-id.ts'
import type { Upstream } from './upstream.ts'
import type { View } from './view.ts'

/** The client is being closed; it may be connected again. */
export function leave(client: NodeRedis): void {
  const wrapped = client[WRAPPED]
  if (wrapped === undefined) return
  wrapped.epoch = -1
  wrapped.lane.disconnected()
  wrapped.hub.detach(wrapped.lane)
}

/** The lane, if this client's connection stands and allows hits; learns of a new connection first. */
export function openLane(client: NodeRedis): Lane | undefined {
  const wrapped = client[WRAPPED]
  if (wrapped === undefined || !client.isReady) return undefined
  if (wrapped.epoch !== client.socketEpoch) arrive(client, wrapped)
  const { lane } = wrapped
  if (!lane.isOpen) return undefined
  // In RESP2 a subscribed connection refuses readings; so must we.
  return wrapped.isOldProtocol && client._getQueue().isPubSubActive ? undefined : lane
}

function arrive(client: NodeRedis, wrapped: Wrapped): void {
  wrapped.epoch = client.socketEpoch
  const target = targetOf(client)
  if (typeof target === 'string') {
    if (target !== '') wrapped.hub.warn(target)
    return
  }
  const upstream = wrapped.hub.attach(wrapped.lane, target, undefined)
  identify(wrapped, upstream)
  wrapped.lane.connected(upstream, { view: ownView(client, wrapped, upstream), database: wrapped.database })
}

/** Asks the server for its name on the client's own connection, once for each. */
function identify(wrapped: Wrapped, upstream: Upstream): void {
  const { epoch, lane } = wrapped
  const told = (info: unknown): void => {
    if (wrapped.epoch === epoch && lane.upstream === upstream) upstream.add(lane.reader, runIdOf(info))
  }
  wrapped.ask(['INFO', 'server']).then(told, told)
}

/** Where replies go that are decoded as the client does by itself. */
export function ownView(client: NodeRedis, wrapped: Wrapped, upstream: Upstream): View {
  const { database } = wrapped
  return upstream.view(formOf(client, wrapped, client._commandOptions?.typeMapping), { database, prefix: '' })
}

/** Where replies go that are decoded by another mapping. */
export function viewOf(client: NodeRedis, upstream: Upstream, mapping: TypeMapping | undefined): View {
  const wrapped = client[WRAPPED] as Wrapped
  return upstream.view(formOf(client, wrapped, mapping), { database: wrapped.database, prefix: '' })
}

/** The client greets a server: the database of a connection is the one that its greeting selects, or the first. */
export function greet(wrapped: Wrapped, args: readonly unknown[], greeting: symbol): void {
  if (wrapped.greeting !== greeting) wrapped.database = 0
  wrapped.greeting = greeting
  if (args[0] === 'SELECT') wrapped.database = Number(args[1])
}
