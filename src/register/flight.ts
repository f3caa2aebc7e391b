/**
 * One command under way: what has to happen in memory when it is sent and when its reply is there, before anybody sees it.
 *
 * Floor 5, room register. Writes void what they name at both ends. Readings are kept only under a token taken before they
 * were sent, after the server has told on the tracking connection how long each key may still live; so nothing of ours
 * stands in the application's own stream of commands. Whatever tells of the data moves the reader's knowledge on.
 */
import { types } from 'node:util'
import type { Fill } from '../resp/coherence-fill.ts'
import type { Written } from '../resp/coherence.ts'
import type { Effect } from '../resp/command-table.ts'
import { type Command, type CommandKind, isChange, type List } from './commands.ts'
import type { Lane } from './lane.ts'
import { Entry, type Place } from './shelf.ts'
import type { Upstream } from './upstream.ts'
import { keep } from './value.ts'

/** What an adapter adds to a command. */
export interface Manner {
  /** Where its reply is to be kept; asked only if it may be kept. */
  place(command: Command): Place | undefined
  /** The reply as it is kept there. */
  form(reply: unknown): unknown
  /** Runs after the reply to a command that changes the connection; the lane knows of it. */
  after?(kind: CommandKind, isError: boolean): void
}

/** More keys than these are not kept. */
const MAX_KEYS = 32
/** Their noughts may be a value: only nil is nothing. */
const SCORES = /^(?:z|geo)/

/** A command is about to be sent. @returns what has to hear of its reply; undefined: nothing */
export function depart(lane: Lane, list: List, manner: Manner): Flight | undefined {
  const { upstream } = lane
  if (upstream === undefined || upstream.isLeft) return undefined
  try {
    const command = upstream.commands.read(list)
    return lane.sends(command) ? new Flight(lane, upstream, { command, manner }) : undefined
  } catch (error) {
    lane.aside()
    upstream.failed(error)
    return undefined
  }
}

/** See the module's header. */
export class Flight {
  readonly #lane: Lane
  readonly #upstream: Upstream
  readonly #command: Command
  readonly #manner: Manner
  readonly #database: number
  #written: Written | undefined
  #fill: Fill | undefined
  #isOver = false
  #isOrdering = false

  constructor(lane: Lane, upstream: Upstream, { command, manner }: { command: Command; manner: Manner }) {
    this.#lane = lane
    this.#upstream = upstream
    this.#command = command
    this.#manner = manner
    this.#database = lane.database
    this.#open()
  }

  /** It is written once more, on another connection: what the first writing did is not known. */
  again(): void {
    this.#fill = undefined
    if (this.#written !== undefined) this.#mark(this.#written)
  }

  /** Its reply is there and nobody has seen it. May come after `failed`: from a client that gave up waiting. */
  replied(reply: unknown): void {
    const fill = this.#fill
    this.#fill = undefined
    this.#guard(() => {
      if (fill !== undefined) this.#upstream.coherence.read(fill)
      this.#close(false)
      if (fill !== undefined) this.#keep(fill, reply)
    })
  }

  /** It was refused, or nobody knows what became of it. */
  failed(): void {
    this.#fill = undefined
    this.#guard(() => this.#close(true))
  }

  /** Whatever is wrong here, the application gets its reply. */
  #guard(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#lane.aside()
      this.#upstream.failed(error)
    }
  }

  #open(): void {
    const { kind, hashes, isLive, isTeaching } = this.#command
    const { coherence } = this.#upstream
    if (kind === 'read') this.#begin()
    else if (kind === 'write' || kind === 'unknown') this.#written = hashes
    else if (kind === 'everything') this.#written = 'everything'
    else if (kind === 'exec') this.#written = this.#lane.takeQueued()
    if (this.#written !== undefined) coherence.forwarded(this.#written)
    this.#isOrdering = (this.#written !== undefined || kind === 'tell') && coherence.isOrdering(effectOf(kind), isTeaching)
    if (this.#isOrdering) coherence.forwardedUnknown(this.#lane.reader)
    if (isLive) for (const hash of hashes) coherence.enliven(hash)
    if (isChange(kind)) this.#lane.changing(kind)
  }

  #begin(): void {
    const { hashes, keys } = this.#command
    const upstream = this.#upstream
    upstream.tally.misses += 1
    if (hashes.length > MAX_KEYS || !upstream.mayKeep || !upstream.covers(keys)) return
    this.#fill = upstream.coherence.begin(this.#lane.reader, hashes, upstream.clock.now())
  }

  #close(isError: boolean): void {
    const { kind, isTeaching } = this.#command
    const { coherence } = this.#upstream
    if (this.#isOver) {
      if (this.#written !== undefined) this.#mark(this.#written)
    } else {
      this.#isOver = true
      if (this.#written !== undefined && isError) coherence.lost(this.#written)
      else if (this.#written !== undefined) coherence.answered(this.#written)
      if (this.#isOrdering) coherence.answeredUnknown(this.#lane.reader)
      if (isChange(kind)) {
        this.#lane.changed()
        this.#manner.after?.(kind, isError)
      }
    }
    if (isTeaching || isError || kind === 'exec') this.#upstream.learned(this.#lane.reader)
  }

  #keep(fill: Fill, reply: unknown): void {
    const upstream = this.#upstream
    const { keys, name } = this.#command
    const place = this.#manner.place(this.#command)
    const kept = place === undefined ? undefined : keep(this.#manner.form(reply), upstream.maxReplyBytes)
    if (place === undefined || kept === undefined) return
    fill.replied(emptiness(reply, keys.length, !SCORES.test(name)))
    upstream.lifetimes({ keys, database: this.#database }, (times) => {
      for (const time of times) fill.time(time)
      const now = upstream.clock.now()
      if (upstream.coherence.keeps(fill, now) && upstream.admits()) upstream.shelf.put(new Entry(place, kept, fill))
    })
  }

  #mark(written: Written): void {
    const { coherence } = this.#upstream
    if (written === 'everything') coherence.invalidateAll()
    else if (typeof written === 'number') coherence.invalidate(written)
    else for (const hash of written) coherence.invalidate(hash)
  }
}

/** Whether a reply found nothing; of several keys, which of them. @param isNought whether the number 0 says so */
function emptiness(reply: unknown, keys: number, isNought: boolean): boolean | readonly boolean[] {
  const isEmpty = (item: unknown): boolean => isNothing(item) || (isNought && item === 0)
  if (keys === 1) return isEmpty(reply) || (Array.isArray(reply) && reply.every(isEmpty))
  return Array.isArray(reply) && reply.length === keys ? reply.map(isEmpty) : false
}

/** Text and bytes are never nothing: an empty value is one. */
function isNothing(reply: unknown): boolean {
  if (typeof reply !== 'object') return false
  if (reply === null) return true
  if (types.isUint8Array(reply)) return false
  if (Array.isArray(reply)) return reply.length === 0
  return types.isMap(reply) || types.isSet(reply) ? reply.size === 0 : Object.keys(reply).length === 0
}

function effectOf(kind: CommandKind): Effect {
  if (kind === 'write' || kind === 'everything') return kind
  return kind === 'tell' || kind === 'read' ? 'read' : 'unknown'
}
