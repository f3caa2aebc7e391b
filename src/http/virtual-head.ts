/**
 * The head that a handler writes, kept apart from the head that its client gets.
 *
 * Floor 4, room http. Begins as a copy of what stands on the response: fields set by middleware that ran before. Of those
 * only what describes the content, and what the handler changed, belongs to the answer; the rest is set anew by that
 * middleware on every request. What the handler took away is named in `REMOVED_FIELD`, so that it stays away on hits.
 */
import type { OutgoingHttpHeader, OutgoingHttpHeaders } from 'node:http'
import type { ResponseHead } from '../model/exchange.ts'
import { Fields } from '../model/fields.ts'

/** Stored beside the answer, never sent: names of fields that the handler took away. */
export const REMOVED_FIELD = 'forecache-removed'

type Value = OutgoingHttpHeader

/** Fields that are the answer's, whoever set them. */
const ALWAYS =
  /^(?:content-|cache-|surrogate-|cdn-|forecache-)|^(?:etag|last-modified|vary|expires|pragma|age|date|set-cookie|location|link|accept-ranges|allow|retry-after|www-authenticate|xkey|no-vary-search|transfer-encoding|trailer)$/

/** An event stream has no end that could be stored, and is for the client who opened it, unless the handler says otherwise. */
export function guardEvents(fields: Fields): void {
  if (
    fields.has('cache-control') ||
    !/^(?:text\/event-stream|multipart\/x-mixed-replace)\b/i.test(fields.first('content-type') ?? '')
  )
    return
  fields.set('cache-control', 'no-store')
}

/** See the module's header. */
export class VirtualHead {
  status: number
  statusText: string
  readonly #base: ReadonlyMap<string, Value>
  #fields: Map<string, Value>
  #names = new Map<string, string>()

  /** @param base fields that stand on the response already, by lower-cased name */
  constructor(status: number, base: OutgoingHttpHeaders) {
    this.status = status
    this.statusText = ''
    this.#base = new Map(Object.entries(base).filter((entry): entry is [string, Value] => entry[1] !== undefined))
    this.#fields = new Map(this.#base)
  }

  set(name: string, value: Value): void {
    const lower = name.toLowerCase()
    this.#fields.set(lower, value)
    this.#names.set(lower, name)
  }

  append(name: string, value: string | readonly string[]): void {
    const before = this.get(name)
    const lines = before === undefined ? [] : Array.isArray(before) ? before : [String(before)]
    this.set(name, [...lines, ...(typeof value === 'string' ? [value] : value)])
  }

  get(name: string): Value | undefined {
    return this.#fields.get(name.toLowerCase())
  }

  has(name: string): boolean {
    return this.#fields.has(name.toLowerCase())
  }

  delete(name: string): void {
    this.#fields.delete(name.toLowerCase())
  }

  /** As `ServerResponse.getHeaders`. */
  all(): OutgoingHttpHeaders {
    return Object.assign(Object.create(null) as OutgoingHttpHeaders, Object.fromEntries(this.#fields))
  }

  names(): string[] {
    return [...this.#fields.keys()]
  }

  rawNames(): string[] {
    return this.names().map((name) => this.#names.get(name) ?? name)
  }

  /** Takes what `writeHead` is given: an object, a flat list or a list of pairs. */
  take(given: unknown): void {
    if (Array.isArray(given)) {
      const flat = Array.isArray(given[0]) ? (given as unknown[][]).flat(1) : (given as unknown[])
      for (let i = 0; i + 1 < flat.length; i += 2) this.delete(String(flat[i])) // replaces what was set, keeps what repeats here
      for (let i = 0; i + 1 < flat.length; i += 2) this.append(String(flat[i]), flat[i + 1] as string | string[])
    } else if (typeof given === 'object' && given !== null) {
      for (const [name, value] of Object.entries(given)) if (value !== undefined) this.set(name, value as Value)
    }
  }

  /** The answer's head: what the handler wrote. */
  response(): ResponseHead {
    const fields = Fields.from()
    for (const [name, value] of this.#fields) {
      if (!ALWAYS.test(name) && this.#base.has(name) && String(this.#base.get(name)) === String(value)) continue
      if (Array.isArray(value)) for (const line of value) fields.append(name, String(line))
      else fields.append(name, String(value))
    }
    const removed = [...this.#base.keys()].filter((name) => !this.#fields.has(name))
    if (removed.length > 0) fields.set(REMOVED_FIELD, removed.join(', '))
    guardEvents(fields)
    return { status: this.status, statusText: this.statusText, fields }
  }
}
