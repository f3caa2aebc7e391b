/**
 * Single values of the embedded mode by their names, for the other doors.
 *
 * Floor 4, room resp. Database 0. Keys and values are bytes; a change tells watchers, readers and listeners as a command's
 * would.
 */
import type { Embedded } from './embedded.ts'
import type { KeyspacePort } from './executor.ts'

/** @param key UTF-8 in, bytes as latin1 out */
function named(key: string): string {
  return Buffer.from(key).toString('latin1')
}

export function createKeyspacePort(embedded: Embedded): KeyspacePort {
  const { space, tracking } = embedded.server
  const db = space.databases[0] as (typeof space.databases)[0] & object
  const begin = (): void => {
    space.now = embedded.server.clock.wall()
  }
  return {
    get: (key) => {
      begin()
      const value = db.read(named(key))
      if (value?.kind !== 'string') return Promise.resolve(undefined)
      const deadline = db.deadline(named(key)) ?? 0
      const ttlMs = deadline === 0 ? undefined : deadline - space.now
      return Promise.resolve({ value: Buffer.from(value.text, 'latin1'), ttlMs })
    },
    set: (key, value, ttlMs) => {
      begin()
      const name = named(key)
      db.putText(name, Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1'))
      if (ttlMs !== undefined) db.setDeadline(name, space.now + Math.max(0, ttlMs))
      space.tell('$', 'set', { database: 0, key: name })
      db.changed(name)
      tracking.settle()
      return Promise.resolve()
    },
    delete: (key) => {
      begin()
      const name = named(key)
      const wasThere = db.remove(name)
      if (wasThere) {
        space.tell('g', 'del', { database: 0, key: name })
        db.changed(name)
        tracking.settle()
      }
      return Promise.resolve(wasThere)
    },
  }
}
