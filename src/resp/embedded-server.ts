/**
 * What all connections of the embedded mode share.
 *
 * Floor 4, room resp. State only, and the few things that commands ask of whoever runs them.
 */
import type { Keyspace } from '../keyspace/keyspace.ts'
import type { Clock } from '../model/clock.ts'
import type { Random } from '../model/random.ts'
import { Channels } from './embedded-channels.ts'
import type { Reply } from './embedded-reply.ts'
import type { Session } from './embedded-session.ts'
import { Tracking } from './embedded-tracking.ts'
import type { Settings } from './embedded-settings.ts'

/** Writes the data to disk. */
export interface Saver {
  /** @throws (rejects) what the system says */
  save(): Promise<void>
  /** Epoch seconds of the last good one, or of the start. */
  readonly lastSaveSeconds: number
  readonly isSaving: boolean
  readonly lastFailed: boolean
}

/** What a running command may ask for. */
export interface Runner {
  /** Runs a command inside another (EXEC, scripts); the reply goes to `out`. */
  execute(session: Session, args: string[], out: Reply): void
  /** Bytes for a connection: into the reply being made if it is its own, else at once. */
  deliver(session: Session, bytes: Uint8Array): void
  /** Whose command runs. */
  readonly current: Session | undefined
  /** Whether the command is known here, for COMMAND. */
  readonly catalog: ReadonlyMap<string, unknown>
  /** The command or subcommand that arguments name. */
  find(args: readonly string[]): unknown
}

export interface ServerParts {
  readonly clock: Clock
  readonly random: Random
  readonly space: Keyspace
  readonly settings: Settings
  readonly saver: Saver | undefined
}

/** Counted since the start or CONFIG RESETSTAT. */
export interface ServerStats {
  commands: number
  connections: number
  errors: number
}

/** See the module's header. */
export class Server {
  readonly clock: Clock
  readonly random: Random
  readonly space: Keyspace
  readonly settings: Settings
  readonly saver: Saver | undefined
  readonly sessions = new Map<number, Session>()
  readonly channels = new Channels()
  readonly shardChannels = new Channels()
  readonly patterns = new Channels()
  readonly monitors = new Set<Session>()
  readonly tracking: Tracking
  readonly stats: ServerStats = { commands: 0, connections: 0, errors: 0 }
  readonly startedAt: number
  /** 40 hexadecimal digits, new at each start. */
  readonly runId: string
  runner: Runner | undefined
  /** Hears of errors that no command should raise. */
  onFault: ((error: unknown) => void) | undefined
  /** Hears of every key that was changed, or went; and when many may have. */
  onTouched: ((key: string) => void) | undefined
  onCleared: (() => void) | undefined

  constructor(parts: ServerParts) {
    this.clock = parts.clock
    this.random = parts.random
    this.space = parts.space
    this.settings = parts.settings
    this.saver = parts.saver
    this.tracking = new Tracking({
      session: (id) => this.sessions.get(id),
      deliver: (session, bytes) => this.runner?.deliver(session, bytes),
    })
    this.space.onTouched = (key) => {
      if (this.tracking.isUsed) this.tracking.changed(key, this.runner?.current)
      this.onTouched?.(key)
    }
    this.space.onCleared = () => {
      if (this.tracking.isUsed) this.tracking.changedAll(this.runner?.current)
      this.onCleared?.()
    }
    this.startedAt = parts.clock.wall()
    this.runId = Array.from({ length: 40 }, () => Math.floor(parts.random() * 16).toString(16)).join('')
  }
}
