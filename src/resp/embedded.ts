/**
 * The embedded mode: a Redis without Redis behind it.
 *
 * Floor 4, room resp. Runs framed commands on a keyspace of its own. GET and SET in their plain forms are answered from the
 * table's bytes; everything else goes by way of texts (embedded-run.ts).
 */
import type { Database } from '../keyspace/database.ts'
import { latinOf } from '../keyspace/latin.ts'
import type { SnapshotKeeper } from '../keyspace/snapshot-keeper.ts'
import type { Timer } from '../model/clock.ts'
import { COMMANDS } from './embedded-commands.ts'
import { isPlain, runFast } from './embedded-fast.ts'
import { createParts, type EmbeddedOptions } from './embedded-parts.ts'
import { Reply } from './embedded-reply.ts'
import { CommandRunner } from './embedded-run.ts'
import type { Server } from './embedded-server.ts'
import { Session } from './embedded-session.ts'
import {
  type Executor,
  type ExecutorPeer,
  type ExecutorSession,
  type FramedCommand,
  OUTCOME,
  type Outcome,
  type ReplySink,
} from './executor.ts'

export type { EmbeddedOptions } from './embedded-parts.ts'

const SWEEP_MS = 100
const SWEEP_KEYS = 400

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
    const { server, keeper } = createParts(options)
    this.server = server
    this.keeper = keeper
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
    for (let i = 0; i < command.count; i += 1)
      args[i] = latinOf(command.bytes, command.starts[i] as number, command.ends[i] as number)
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

/** CLIENT REPLY OFF and SKIP. */
function silence(session: Session, reply: Reply): void {
  reply.take()
  if (session.replies === 'skipping') session.replies = 'on'
  else if (session.replies === 'skip') session.replies = 'skipping'
}
