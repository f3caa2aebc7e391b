/**
 * What stands behind the Redis door's port: a front before an upstream, or the data itself.
 *
 * Floor 5, room server.
 */
import type { Socket } from 'node:net'
import type { Cache } from '../flow/cache.ts'
import type { Engine } from '../flow/engine.ts'
import type { Logger } from '../model/port.ts'
import type { KeyspacePort } from '../resp/executor.ts'
import type { RespGauges } from './resp-metrics.ts'
import type { RespClient } from './resp-listener.ts'

/** What a door works with. */
export interface RespDoorParts {
  readonly cache: Cache
  readonly engine: Engine
  readonly logger: Logger
}

/** Keys that are not to be read any more, in every database. */
export interface ForgetPort {
  key(name: string): void
  all(): void
}

/** What stands behind the port. */
export interface RespBack {
  /** How a client of our own logs in. */
  readonly login: { readonly username: string; readonly password: string } | undefined
  /** What is true of it now. */
  readonly gauges: Omit<RespGauges, 'clients'>
  /** Before anybody is accepted. */
  open(): Promise<void>
  accept(socket: Socket): RespClient
  /** Its values for other doors; undefined: they ask as a client of its own. */
  readonly values?: KeyspacePort
  /** What the process's own log of invalidations names is not to be read any more. */
  readonly forget: ForgetPort
  /** One client more than allowed came. */
  refused(): void
  /** When nobody is there any more. */
  close(): Promise<void>
}
