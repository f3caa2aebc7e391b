/**
 * What all clients of a front share: coherence, replies, the table of commands, and what is counted.
 *
 * Floor 4, room resp. One per upstream and process.
 */
import type { Coherence } from './coherence.ts'
import type { HotKeys } from './coherence-touch.ts'
import type { RequestScanner } from '../wire/resp-request.ts'
import type { CommandTable } from './command-table.ts'
import type { ReplyStore } from './reply-cache.ts'
import { GatherRoom } from './session-gather.ts'

/** What became of commands. Plain numbers: counted on the hot path. */
export interface ProxyCounts {
  /** Answered from memory. */
  hits: number
  /** Asked of the upstream, and perhaps kept. */
  misses: number
  /** Could have been answered from memory but for the state of the connection or of the tracking. */
  passed: number
  /** Reads that are never kept, and commands that have nothing to do with the data. */
  uncached: number
  writes: number
  blocking: number
  /** Commands that change what a connection is. */
  state: number
  /** Requests on connections that are no longer framed. */
  piped: number
  /** Requests or replies held until memory had followed. */
  fenced: number
  /** Requests that could not be read. */
  broken: number
  /** Connections whose upstream could not be reached. */
  unreachable: number
  /** Clients sent away: too many are there. */
  refused: number
  /** Connections that the upstream ended. */
  lost: number
}

/** Different partitions at most; further connections are not answered from memory. */
const MAX_PARTITIONS = 65_536

/** Longer requests are not worth a place in memory. */
export const MAX_REQUEST_BYTES = 4096
const LETTERS = 32
const LENGTHS = 32

function placeOf(letter: number, length: number): number {
  return (letter & (LETTERS - 1)) * LENGTHS + Math.min(length, LENGTHS - 1)
}

/** See the module's header. */
export class ProxyShared {
  readonly coherence: Coherence
  readonly cache: ReplyStore
  /** Keys that memory answers for, a sample: to be touched in the upstream. */
  readonly hot: HotKeys
  /** `clock.now()`. */
  readonly now: () => number
  /** Largest reply that is kept, bytes. */
  readonly maxReplyBytes: number
  /** Whom the tracking connection is logged in as. */
  readonly ownUser: string
  readonly clientRoom = new GatherRoom()
  readonly upstreamRoom = new GatherRoom()
  readonly counts: ProxyCounts = {
    ...{ hits: 0, misses: 0, passed: 0, uncached: 0, writes: 0, blocking: 0, state: 0, piped: 0 },
    ...{ fenced: 0, broken: 0, unreachable: 0, refused: 0, lost: 0 },
  }
  /** Where the tracking connection leads. */
  place: string | undefined
  #table: CommandTable
  /** Whether any command with this first letter and length is ever kept: asked before bytes are hashed. */
  readonly #kept = new Uint8Array(LETTERS * LENGTHS)
  readonly #partitions = new Map<string, number>()

  constructor(parts: Pick<ProxyShared, 'coherence' | 'cache' | 'hot' | 'now' | 'maxReplyBytes' | 'ownUser' | 'table'>) {
    this.coherence = parts.coherence
    this.cache = parts.cache
    this.hot = parts.hot
    this.now = parts.now
    this.maxReplyBytes = parts.maxReplyBytes
    this.ownUser = parts.ownUser
    this.#table = parts.table
  }

  /** The upstream's commands; before they are known every one counts as of unknown effect. */
  get table(): CommandTable {
    return this.#table
  }

  /** A tracking connection stands: what the upstream's commands are, and where it leads. */
  cover(table: CommandTable, place: string | undefined): void {
    this.#table = table
    this.place = place
    this.#kept.fill(0)
    for (const { name, isKept } of table.list()) {
      const word = name.split('|', 1)[0] as string
      if (isKept) this.#kept[placeOf(word.charCodeAt(0), word.length)] = 1
    }
  }

  /** Whether a request may have its reply in memory: false where that would be no use to look for. */
  mayBeKept({ bytes, start, end, starts, ends }: Pick<RequestScanner, 'bytes' | 'start' | 'end' | 'starts' | 'ends'>): boolean {
    if (end - start > MAX_REQUEST_BYTES) return false
    const at = starts[0] as number
    return this.#kept[placeOf(bytes[at] as number, (ends[0] as number) - at)] === 1
  }

  /** The small number of all that a reply depends on beside its request; -1: too many are in use. */
  partition(name: string): number {
    const known = this.#partitions.get(name)
    if (known !== undefined) return known
    if (this.#partitions.size >= MAX_PARTITIONS) return -1
    const id = this.#partitions.size
    this.#partitions.set(name, id)
    return id
  }
}
