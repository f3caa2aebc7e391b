/**
 * What stands behind the Redis door's port: a front before an upstream, or the data itself.
 *
 * Floor 5, room server.
 */
import type { Socket } from 'node:net'
import type { Engine } from '../flow/engine.ts'
import type { Logger } from '../model/port.ts'
import type { RespClient } from './resp-listener.ts'

/** What a door works with. */
export interface RespDoorParts {
  readonly engine: Engine
  readonly logger: Logger
}

/** What stands behind the port. */
export interface RespBack {
  /** Whether memory may answer. */
  readonly isCovered: boolean
  /** Before anybody is accepted. */
  open(): Promise<void>
  accept(socket: Socket): RespClient
  /** One client more than allowed came. */
  refused(): void
  /** When nobody is there any more. */
  close(): Promise<void>
}
