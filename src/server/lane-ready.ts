/**
 * The head of a stored response as bytes, kept beside it: what changes between two hits are the digits of Age and of the
 * ttl in Cache-Status, at most once a second.
 *
 * Floor 5, room server. Made of the same reply and the same fields as `send` writes, so a lane's answer differs in nothing.
 */
import type { Known } from '../http/known.ts'
import { recalledReply } from '../http/recall.ts'
import type { Stored } from '../http/stored.ts'
import type { Reply } from '../model/exchange.ts'
import { formatHttpDate } from '../rules/dates.ts'
import type { HeadArena, PutHead, Slab } from './lane-arena.ts'
import type { LaneAnswer } from './lane-desk.ts'
import { responseFields, type Shape } from './send.ts'

/** How heads are written. */
export interface HeadForm {
  /** Our entry in Via; undefined where we are the origin ourselves. */
  readonly via: string | undefined
  /** Default false. */
  readonly close?: boolean
  /** Measured; default: not told. */
  readonly latencyUs?: number | undefined
  /** What Keep-Alive says, seconds. */
  readonly keepAliveSeconds: number
}

/** Bytes of a head: nothing in it that `node:http` would refuse to write. */
const WRITABLE = /^[\t\r\n\x20-\x7e\x80-\xff]*$/
const ZERO = 0x30
/** What whole milliseconds are counted from, so that they stay small for weeks. */
const BASE_MS = Date.now()
const READY_BYTES = 240

/**
 * A reply's head as `node:http` writes it.
 *
 * @returns undefined where it holds what cannot be written
 */
export function headText(reply: Reply, form: HeadForm, shape: Shape): string | undefined {
  const { status, statusText } = reply.head
  const { via, latencyUs, close = false } = form
  const fields = responseFields(reply, { via, close, latencyUs }, shape)
  let text = `HTTP/1.1 ${status} ${statusText}\r\n`
  let dated = false
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string
    if (name === 'date') dated = true
    text += `${name}: ${fields[i + 1]}\r\n`
  }
  if (!dated) text += `Date: ${formatHttpDate(Date.now())}\r\n`
  if (!close) text += `Connection: keep-alive\r\nKeep-Alive: timeout=${form.keepAliveSeconds}\r\n`
  text += shape.chunked ? 'Transfer-Encoding: chunked\r\n\r\n' : '\r\n'
  return WRITABLE.test(text) ? text : undefined
}

/** What a head is made with. */
export interface ReadyParts {
  readonly form: HeadForm
  readonly arena: HeadArena
}

/** See the module's header. */
export class Ready implements LaneAnswer {
  readonly head: Buffer
  readonly body: Uint8Array
  whole: Buffer | undefined = undefined
  readonly #slab: Slab
  readonly #serial: number
  // Small integers, and nothing behind a pointer: of a hundred thousand responses each is far from the processor.
  readonly #age: Digits
  readonly #ttl: Digits
  /** When its age was 0, whole ms from BASE_MS, rounded down: its age is never told too small. */
  readonly #bornAt: number
  readonly #lifetimeMs: number
  /** What it holds beside the response; what of its head stands in the arena is charged there. See docs/decisions/011. */
  readonly bytes: number
  /** The digits hold until here, whole ms from BASE_MS. */
  #until = 0

  private constructor(stored: Stored, { head, slab, ownBytes }: PutHead, places: { readonly age: Digits; readonly ttl: Digits }) {
    this.head = head
    this.#slab = slab
    this.bytes = READY_BYTES + ownBytes
    this.#serial = slab.serial
    this.body = stored.body
    const { requestedAt, offsetMs, lifetimeMs } = stored.plan
    this.#bornAt = Math.floor(requestedAt - offsetMs - BASE_MS)
    this.#lifetimeMs = Math.floor(lifetimeMs)
    this.#age = places.age
    this.#ttl = places.ttl
  }

  /** @returns undefined for a response that is not for a lane: without a body of its own, with trailers, unwritable */
  static of(known: Known, stored: Stored, { form, arena }: ReadyParts): Ready | undefined {
    const { status } = stored.plan
    if (status < 200 || status === 204 || status === 304 || stored.trailers !== undefined) return undefined
    const shape = { bodiless: false, length: stored.body.byteLength, chunked: false }
    const text = headText(recalledReply(known, stored), form, shape)
    if (text === undefined) return undefined
    const age = digitsBehind(text, text.indexOf('\r\nage: ') + '\r\nage: '.length)
    const line = text.indexOf('\r\ncache-status: ')
    const ttl = digitsBehind(text, text.lastIndexOf('; ttl=', text.indexOf('\r\n', line + 2)) + '; ttl='.length)
    return age === NONE || ttl === NONE || line < 0 ? undefined : new Ready(stored, arena.put(text), { age, ttl })
  }

  /** Whether head and digits are still right. */
  holds(now: number): boolean {
    return now - BASE_MS < this.#until && this.#slab.serial === this.#serial
  }

  /** Brings the digits up to date; false when they take another number of places by now, or the head is gone: make it anew. */
  update(now: number): boolean {
    this.whole = undefined
    if (this.#slab.serial !== this.#serial) return false
    const at = now - BASE_MS
    const ageMs = Math.max(0, at - this.#bornAt)
    const age = Math.floor(ageMs / 1000)
    const leftMs = this.#lifetimeMs - ageMs
    const ttl = Math.floor(leftMs / 1000)
    if (ttl < 0 || !write(this.head, this.#age, age) || !write(this.head, this.#ttl, ttl)) return false
    this.#until = Math.floor(at + Math.min((age + 1) * 1000 - ageMs, leftMs - ttl * 1000))
    return true
  }
}

/** Writes a number with just so many digits; false when it has more or fewer. */
function write(head: Buffer, digits: Digits, value: number): boolean {
  const at = digits >> LENGTH_BITS
  const length = digits & LENGTH_MASK
  let left = value
  for (let i = at + length - 1; i >= at; i -= 1) {
    const rest = Math.floor(left / 10)
    head[i] = ZERO + left - rest * 10
    left = rest
  }
  return left === 0 && (length === 1 || head[at] !== ZERO)
}

/** Where a number stands: place and length in one small integer. */
type Digits = number
const LENGTH_BITS = 4
const LENGTH_MASK = 15
const NONE = -1

function digitsBehind(text: string, at: number): Digits {
  let end = at
  while (text.charCodeAt(end) >= ZERO && text.charCodeAt(end) <= ZERO + 9) end += 1
  const length = end - at
  return length === 0 || length > LENGTH_MASK ? NONE : (at << LENGTH_BITS) | length
}
