/**
 * Keyspace events as messages, where `notify-keyspace-events` asks for them.
 *
 * Floor 4, room resp. Costs nothing while the setting is empty.
 */
import { publish } from './embedded-publish.ts'
import type { Server } from './embedded-server.ts'

/** Listens to the keyspace as the setting says; to be called again when it has changed. */
export function publishEvents(server: Server): void {
  const wanted = server.settings.get('notify-keyspace-events')
  const families = new Set(wanted.replace('A', 'g$lshzxetd'))
  const [byKey, byEvent] = [families.has('K'), families.has('E')]
  if (!byKey && !byEvent) {
    server.space.onEvent = undefined
    return
  }
  server.space.onEvent = (family, event, { database, key }) => {
    if (!families.has(family)) return
    if (byKey) publish(server, `__keyspace@${database}__:${key}`, event)
    if (byEvent) publish(server, `__keyevent@${database}__:${event}`, key)
  }
}
