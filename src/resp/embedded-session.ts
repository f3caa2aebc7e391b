/**
 * What the embedded mode knows of one connection.
 *
 * Floor 4, room resp. State only: who changes it are the commands.
 */
import type { Database } from '../keyspace/database.ts'
import type { Waiting } from '../keyspace/waiting.ts'
import type { Watched, Watcher } from '../keyspace/watch.ts'
import type { Timer } from '../model/clock.ts'
import type { Reply } from './embedded-reply.ts'
import type { TrackingWish } from './embedded-tracking-wish.ts'
import type { ExecutorPeer } from './executor.ts'

/** A command that waits for a key. */
export interface Parked {
  readonly waiting: Waiting
  readonly timer: Timer | undefined
  /** What is answered when nothing came in time. */
  readonly onTimeout: () => void
  /** Ends it with an error reply. */
  readonly breakOff: (error: string) => void
  /** Ends it with a reply. */
  readonly answer: (write: (out: Reply) => void) => void
}

/** See the module's header. */
export class Session implements Watcher {
  readonly peer: ExecutorPeer
  readonly watched: Watched[] = []
  isDirty = false
  db: Database
  /** 2 or 3. */
  version = 2
  name = ''
  user = 'default'
  isAuthenticated: boolean
  /** Commands between MULTI and EXEC. */
  queued: string[][] | undefined
  /** One of them was refused. */
  isSpoiled = false
  /** EXEC or a script is running: nothing waits. */
  mayNotWait = false
  isInExec = false
  isInScript = false
  readonly channels = new Set<string>()
  readonly patterns = new Set<string>()
  readonly shardChannels = new Set<string>()
  isMonitor = false
  replies: 'on' | 'off' | 'skip' | 'skipping' = 'on'
  parked: Parked | undefined
  /** Close after the reply. */
  isLeaving = false
  lastCommand = ''
  usedAt = 0
  commands = 0
  noEvict = false
  tracking: TrackingWish | undefined
  /** CLIENT CACHING was said for the next command. */
  mayCache = false
  redirectIsBroken = false
  noTouch = false

  constructor(peer: ExecutorPeer, db: Database, isAuthenticated: boolean) {
    this.peer = peer
    this.db = db
    this.isAuthenticated = isAuthenticated
  }

  get subscriptions(): number {
    return this.channels.size + this.patterns.size
  }

  get isSubscriber(): boolean {
    return this.channels.size + this.patterns.size + this.shardChannels.size > 0
  }

  get isQueueing(): boolean {
    return this.queued !== undefined
  }
}
