/**
 * What changes in the upstream without a push, looked for once a second while memory is read.
 *
 * Floor 4, room resp. SWAPDB by others, scripts included, is told of by nobody: the server's own count of its calls is. And
 * where fields of hashes can have times of their own, they end unnoticed: while any hash has such fields no hash is kept. A
 * master that has become a replica hears of changes late, or not at all: this life of the connection is over. The questions
 * go out right before a PING, so that nothing is answered from memory between its answer and theirs. Where they are refused,
 * the age of entries is the bound.
 */
import type { Clock } from '../model/clock.ts'
import type { Coherence } from './coherence.ts'
import type { CommandTable } from './command-table.ts'
import { encodeCommand, type Greeting, infoField } from './tracking-commands.ts'
import type { Reply } from './tracking-reader.ts'

/** What it works with. */
export interface WatchParts {
  readonly clock: Clock
  readonly coherence: Coherence
  readonly table: CommandTable
  readonly greeting: Greeting
  /** This life of the connection is over. */
  readonly fail: (reason: string) => void
  readonly ask: (command: Uint8Array, answered: (reply: Reply) => void) => void
}

const EVERY_MS = 1000
const STATS = encodeCommand(['INFO', 'commandstats'])
const REPLICATION = encodeCommand(['INFO', 'replication'])
const KEYSPACE = encodeCommand(['INFO', 'keyspace'])
const SWAPS = /^cmdstat_swapdb:calls=(\d+)/m
/** As Redis 7.4 and Valkey 9 tell how many keys have fields with times of their own. */
const TIMED = /(?:subexpiry|keys_with_volatile_items)=(\d+)/

/** See the module's header. */
export class Watch {
  readonly #parts: WatchParts
  readonly #hasTimedFields: boolean
  #askedMs = Number.NEGATIVE_INFINITY
  #swaps: string | undefined

  constructor(parts: WatchParts) {
    this.#parts = parts
    this.#hasTimedFields = parts.table.has('hpexpire')
  }

  /** A PING is about to be sent. */
  look(): void {
    const { clock, greeting, ask } = this.#parts
    const now = clock.now()
    if (now - this.#askedMs < EVERY_MS) return
    this.#askedMs = now
    ask(REPLICATION, (reply) => this.#placed(reply))
    if (!greeting.isClustered) ask(STATS, (reply) => this.#counted(reply))
    if (this.#hasTimedFields) ask(KEYSPACE, (reply) => this.#timed(reply))
  }

  #placed(reply: Reply): void {
    const { greeting, fail } = this.#parts
    const role = infoField(reply, 'role')
    if (role !== '' && (role !== 'master') !== greeting.isReplica) fail(`the server has become a ${role}`)
  }

  #counted(reply: Reply): void {
    if (typeof reply !== 'string') {
      this.#askedMs = Number.POSITIVE_INFINITY // refused: it would be again
      return
    }
    const swaps = SWAPS.exec(reply)?.[1] ?? '0'
    if (this.#swaps !== undefined && this.#swaps !== swaps) this.#parts.coherence.invalidateAll()
    this.#swaps = swaps
  }

  #timed(reply: Reply): void {
    const { table, coherence } = this.#parts
    const rows = typeof reply === 'string' ? reply.split('\n').filter((row) => row.startsWith('db')) : ['']
    const keeps = rows.every((row) => TIMED.exec(row)?.[1] === '0')
    if (!keeps && table.keepsHashes) coherence.invalidateAll()
    table.keepsHashes = keeps
  }
}
