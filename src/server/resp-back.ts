/**
 * What stands behind the Redis door's port: a front before an upstream, or the data itself.
 *
 * Floor 5, room server.
 */
import type { Socket } from 'node:net'
import type { Cache } from '../flow/cache.ts'
import type { Engine } from '../flow/engine.ts'
import type { Logger } from '../model/port.ts'
import type { Mount } from '../flow/mount.ts'
import type { MountNotes } from '../flow/mount-notes.ts'
import type { RespGauges } from './resp-metrics.ts'
import type { RespClient } from './resp-listener.ts'

/** What a door works with. */
export interface RespDoorParts {
  readonly cache: Cache
  readonly engine: Engine
  readonly logger: Logger
}

/** Values that stand in this process and nowhere else. */
export interface AloneValues {
  stands(key: string): boolean
  /** What is known of them beside: told of those that go, and kept out of snapshots. */
  noted(notes: MountNotes): void
}

/** What stands behind the port. */
export interface RespBack {
  /** What is true of it now. */
  readonly gauges: Omit<RespGauges, 'clients'>
  /** What it keeps in memory. */
  readonly heldBytes: number
  /** Before anybody is accepted. */
  open(): Promise<void>
  accept(socket: Socket): RespClient
  /** Its values for other doors; `accept` takes a client of our own. */
  mount(accept: (socket: Socket) => void): Mount
  readonly alone?: AloneValues
  /** One client more than allowed came. */
  refused(): void
  /** A client was cut off because clients hold too much together. */
  overflowed(): void
  /** When nobody is there any more. */
  close(): Promise<void>
}
