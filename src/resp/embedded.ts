/**
 * The embedded mode: a Redis without Redis behind it.
 *
 * Floor 4, room resp. Runs framed commands on a keyspace of its own. GET and SET in their plain forms are answered from the
 * table's bytes; everything else goes by way of texts (embedded-run.ts).
 */
import { basename, dirname, resolve } from 'node:path'
import type { Database } from '../keyspace/database.ts'
import { Keyspace } from '../keyspace/keyspace.ts'
import { type KeeperOptions, SnapshotKeeper } from '../keyspace/snapshot-keeper.ts'
import { type Clock, systemClock, type Timer } from '../model/clock.ts'
import type { Random } from '../model/random.ts'
import { COMMANDS } from './embedded-commands.ts'
import { isPlain, runFast } from './embedded-fast.ts'
import { Reply } from './embedded-reply.ts'
import { CommandRunner } from './embedded-run.ts'
import { Server } from './embedded-server.ts'
import { Session } from './embedded-session.ts'
import { Settings } from './embedded-settings.ts'
import {
  type Executor,
  type ExecutorPeer,
  type ExecutorSession,
  type FramedCommand,
  OUTCOME,
  type Outcome,
  type ReplySink,
} from './executor.ts'

export interface EmbeddedOptions {
  readonly clock?: Clock
  readonly random?: Random
  /** Bytes that keys and values may take; 0: no limit. Default 0. */
  readonly maxBytes?: number
  /** When full: `noeviction` refuses writes, everything else makes room. Default `allkeys-lfu`. */
  readonly policy?: string
  /** Asked of every connection; '' asks nobody. */
  readonly password?: string
  /** Where the data is kept over a restart; absent: nowhere. */
  readonly snapshot?: KeeperOptions | undefined
}

const SWEEP_MS = 100
const SWEEP_KEYS = 400
const DATABASES = 16

/** See the module's header. */
export class Embedded implements Executor {
  readonly server: Server
  /** Reads and writes snapshots; whoever made the embedded mode opens it before, and closes it after everything. */
  readonly keeper: SnapshotKeeper | undefined
  readonly #runner: CommandRunner
  readonly #reply = new Reply()
  #timer: Timer | undefined
  #readAt = -1

  constructor(options: EmbeddedOptions = {}) {
    const { clock = systemClock(), random = Math.random, maxBytes = 0 } = options
    const space = new Keyspace({ databases: DATABASES, random, maxBytes })
    const settings = new Settings()
    settings.put('maxmemory', String(maxBytes))
    settings.put('maxmemory-policy', options.policy ?? 'allkeys-lfu')
    settings.put('requirepass', options.password ?? '')
    space.evicts = settings.get('maxmemory-policy') !== 'noeviction'
    space.now = clock.wall()
    this.keeper = options.snapshot && new SnapshotKeeper(space, clock, options.snapshot)
    if (this.keeper !== undefined) tellPlace(settings, this.keeper)
    this.server = new Server({ clock, random, space, settings, saver: this.keeper })
    this.#runner = new CommandRunner(this.server, COMMANDS)
    this.server.runner = this.#runner
    this.#sweep()
  }

  open(peer: ExecutorPeer): ExecutorSession {
    const { server } = this
    const session = new Session(peer, server.space.databases[0] as Database, server.settings.get('requirepass') === '')
    server.sessions.set(peer.id, session)
    server.stats.connections += 1
    return {
      run: (command, out, now) => this.#run(session, command, { out, now }),
      close: () => this.#close(session),
    }
  }

  /** Nothing runs any more; timers end. */
  close(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #run(session: Session, command: FramedCommand, { out, now }: { readonly out: ReplySink; readonly now: number }): Outcome {
    if (now !== this.#readAt) {
      this.#readAt = now
      this.server.space.now = this.server.clock.wall()
    }
    session.usedAt = now
    if (isPlain(this.server, session) && runFast(this.server, session, { command, out })) return OUTCOME.done
    const args = new Array<string>(command.count)
    for (let i = 0; i < command.count; i += 1) args[i] = command.bytes.toString('latin1', command.starts[i], command.ends[i])
    const reply = this.#reply
    reply.version = session.version === 3 ? 3 : 2
    this.#runner.process(session, args, reply)
    if (session.replies !== 'on') silence(session, reply)
    if (reply.length > 0) out.put(reply.take())
    if (session.isLeaving) return OUTCOME.close
    return session.parked === undefined ? OUTCOME.done : OUTCOME.parked
  }

  #close(session: Session): void {
    this.#runner.end(session)
    this.server.sessions.delete(session.peer.id)
  }

  #sweep(): void {
    const { server } = this
    this.#timer = server.clock.after(SWEEP_MS, () => {
      server.space.now = server.clock.wall()
      this.#readAt = -1
      for (let rounds = 0; rounds < 16 && server.space.expireSome(SWEEP_KEYS); rounds += 1);
      this.#sweep()
    })
  }
}

/** What CONFIG GET says of snapshots. */
function tellPlace(settings: Settings, { path, intervalMs }: SnapshotKeeper): void {
  settings.put('dir', dirname(resolve(path)))
  settings.put('dbfilename', basename(path))
  settings.put('save', intervalMs === 0 ? '' : `${Math.max(1, Math.round(intervalMs / 1000))} 1`)
}

/** CLIENT REPLY OFF and SKIP. */
function silence(session: Session, reply: Reply): void {
  reply.take()
  if (session.replies === 'skipping') session.replies = 'on'
  else if (session.replies === 'skip') session.replies = 'skipping'
}
