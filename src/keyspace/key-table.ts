/**
 * The table of all databases, asked by texts.
 *
 * Floor 3, room keyspace. A string stands there as the bytes of a whole bulk reply, `$3\r\nfoo\r\n`, so that reading it is
 * one copy; a container stands beside. A database is a space of the table.
 */
import type { Random } from '../model/random.ts'
import { ByteKey, ByteSpan } from '../shelf/byte-hash.ts'
import { ByteTable, NONE } from '../shelf/byte-table.ts'
import { KeyspaceFull } from './full.ts'
import { latinOf } from './latin.ts'
import type { Container, TextForm, Value } from './value.ts'

/** Kinds of entries: strings by their form (FORMS), and containers. */
export const TEXT = 0
export const CONTAINER = 1
const FORMS: readonly (TextForm | undefined)[] = ['plain', undefined, 'text', 'raw']

/** The least limit of the table. */
const LEAST_BYTES = 256 * 1024
const FIRST_SCRATCH = 4096
const KEPT_SCRATCH = 1 << 20
/** Bytes of the longest head and the end of a bulk. */
const FRAME_BYTES = 24
const NEWLINE = 10

/** See the module's header. */
export class KeyTable {
  readonly bytes: ByteTable
  /** The question; set by `ask`. */
  readonly key = new ByteKey()
  /** A value to be put. */
  readonly span = new ByteSpan()
  #keyScratch = Buffer.allocUnsafe(FIRST_SCRATCH)
  #valueScratch = Buffer.allocUnsafe(FIRST_SCRATCH)

  /** @param maxBytes 0: no limit; small limits that come later leave less of it usable than those given here */
  constructor(random: Random, maxBytes: number, onEvict: (slot: number) => void) {
    const seed = [(random() * 2 ** 32) | 0, (random() * 2 ** 32) | 0] as const
    this.bytes = new ByteTable({ maxBytes: limitOf(maxBytes), evicts: false, seed, onEvict })
  }

  /** @returns the slot, NONE: no such key */
  find(space: number, text: string): number {
    return this.bytes.find(this.ask(space, text))
  }

  /** Makes a text the question. */
  ask(space: number, text: string): ByteKey {
    const { length } = text
    if (length > this.#keyScratch.length) this.#keyScratch = Buffer.allocUnsafe(length * 2)
    const scratch = this.#keyScratch
    if (length > FRAME_BYTES * 2) scratch.write(text, 0, length, 'latin1')
    else for (let i = 0; i < length; i += 1) scratch[i] = text.charCodeAt(i)
    this.key.set(scratch, 0, length)
    this.key.space = space
    return this.key
  }

  keyText(slot: number): string {
    return textOf(this.bytes.key(slot))
  }

  isText(slot: number): boolean {
    return this.bytes.kind(slot) !== CONTAINER
  }

  value(slot: number): Value {
    const kind = this.bytes.kind(slot)
    if (kind === CONTAINER) return this.bytes.object(slot) as Container
    return { kind: 'string', text: textOf(this.content(slot)), form: FORMS[kind] ?? 'plain' }
  }

  /** The bytes of a string, without the frame of its reply. The same span at every call. */
  content(slot: number): ByteSpan {
    const span = this.bytes.value(slot)
    while (span.bytes[span.start] !== NEWLINE) span.start += 1
    span.start += 1
    span.end -= 2
    return span
  }

  /** A string was changed in its place. */
  markChanged(slot: number): void {
    this.bytes.setKind(slot, FORMS.indexOf('raw'))
  }

  /** Stores under the question. @returns the slot @throws KeyspaceFull */
  put(value: Value): number {
    const slot = value.kind === 'string' ? this.bytes.put(this.key, this.#bulk(value.text)) : this.#putContainer(value)
    if (slot === NONE) throw new KeyspaceFull()
    this.bytes.setKind(slot, value.kind === 'string' ? FORMS.indexOf(value.form) : CONTAINER)
    return slot
  }

  /** Another text for a string. @throws KeyspaceFull */
  replaceText(slot: number, text: string, form: TextForm): void {
    if (!this.bytes.replace(slot, this.#bulk(text))) throw new KeyspaceFull()
    this.bytes.setKind(slot, FORMS.indexOf(form))
  }

  #putContainer(value: Container): number {
    return this.bytes.putObject(this.key, value, value.bytes)
  }

  /** The whole reply that a string is kept as. */
  #bulk(text: string): ByteSpan {
    const { length } = text
    if (length + FRAME_BYTES > this.#valueScratch.length) this.#valueScratch = Buffer.allocUnsafe(length + FRAME_BYTES)
    const scratch = this.#valueScratch
    let at = scratch.write(`$${length}\r\n`, 0, 'latin1')
    scratch.write(text, at, length, 'latin1')
    at += length
    scratch[at] = 13
    scratch[at + 1] = NEWLINE
    if (scratch.length > KEPT_SCRATCH) this.#valueScratch = Buffer.allocUnsafe(FIRST_SCRATCH)
    return this.span.set(scratch, 0, at + 2)
  }
}

/** @param bytes 0: none */
export function limitOf(bytes: number): number {
  return bytes === 0 ? Number.POSITIVE_INFINITY : Math.max(bytes, LEAST_BYTES)
}

/** Bytes as latin1. */
export function textOf({ bytes, start, end }: ByteSpan): string {
  return latinOf(bytes, start, end)
}
