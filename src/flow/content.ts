/**
 * A value as bytes of a type: what every door that speaks bytes stores, and what all doors can read.
 *
 * Floor 3, room flow. Immutable. Knows no door: the native cache API writes it, the library reads it as data. A content
 * has one form as it was given and at most one for each coding, made behind the write; each form has a strong ETag of its
 * own. Parsed JSON is remembered weakly: it is no part of what is charged, so
 * the collector may take it whenever memory is short.
 */
import { hash } from 'node:crypto'
import { freezeDeep } from './freeze.ts'

/** Bytes in one coding, with the fields that go with them. */
export class Form {
  /** `identity`, or the name of a content coding. */
  readonly coding: string
  readonly body: Uint8Array
  /** Strong, quoted; different for each coding. */
  readonly etag: string
  /** Flat name, value list of what says how to read the body: Content-Type, Content-Encoding. Made once. */
  readonly fields: readonly string[]

  constructor(coding: string, body: Uint8Array, about: { readonly type: string; readonly etag: string }) {
    this.coding = coding
    this.body = body
    this.etag = about.etag
    this.fields = ['content-type', about.type, ...(coding === 'identity' ? [] : ['content-encoding', coding])]
  }
}

/** What a content of no declared type is. */
export const BYTES_TYPE = 'application/octet-stream'

const CONTENT_BYTES = 320
const FORM_BYTES = 256
/** Equal bodies of at least this many bytes are looked for, bytes. */
const SHARE_FROM_BYTES = 256
const DIGEST_CHARS = 22
const TYPE_CHARS = 4

/** See the module's header. */
export class Content {
  /** Media type as given. */
  readonly type: string
  readonly identity: Form
  /** Other codings of the same bytes, smallest first; empty until they are made, or where they do not pay. */
  readonly coded: readonly Form[]
  /** Names of all codings, smallest body first, commas between; always one of a few texts. */
  readonly offer: string
  /** Name of the body among equal ones; undefined when it is too small to be worth it. */
  readonly shareId: string | undefined
  /** ETag without quotes and coding. */
  readonly #mark: string
  #parsed: WeakRef<object> | undefined
  /** Whether the bytes are JSON, once somebody had to know. */
  #isJson: boolean | undefined

  /** Use `makeContent`. */
  constructor(parts: { type: string; body: Uint8Array; mark: string; shareId: string | undefined; coded?: readonly Form[] }) {
    this.type = parts.type
    this.#mark = parts.mark
    this.shareId = parts.shareId
    this.identity = new Form('identity', parts.body, { type: parts.type, etag: `"${parts.mark}"` })
    this.coded = parts.coded ?? []
    this.offer = [...this.coded.map((form) => form.coding), 'identity'].join(',')
  }

  /** The bytes as they were given. */
  get body(): Uint8Array {
    return this.identity.body
  }

  /** Bytes it is charged with, every coding included. */
  get bytes(): number {
    let sum = CONTENT_BYTES + this.body.byteLength + this.type.length * 2
    for (const form of this.coded) sum += FORM_BYTES + form.body.byteLength
    return sum
  }

  /** The same content with codings beside it. */
  withCodings(bodies: ReadonlyMap<string, Uint8Array>): Content {
    const coded = [...bodies].map(([coding, body]) => {
      return new Form(coding, body, { type: this.type, etag: `"${this.#mark}-${coding}"` })
    })
    coded.sort((a, b) => a.body.byteLength - b.body.byteLength)
    return new Content({ type: this.type, body: this.body, mark: this.#mark, shareId: this.shareId, coded })
  }

  /** Whether a strong ETag is this content's, in whatever coding: codings come and go, the content stays. */
  hasTag(tag: string): boolean {
    const { etag } = this.identity
    return tag === etag || (tag.startsWith(etag.slice(0, -1)) && CODED_TAG.test(tag.slice(etag.length - 1)))
  }

  /**
   * As data: JSON types parsed, text as a string, everything else as bytes (not copied: to be read only). What calls
   * itself JSON and is none is its text.
   *
   * @param shared one frozen value for all readers; false: a value of the reader's own
   */
  read(shared: boolean): unknown {
    if (isJsonType(this.type)) return this.#readJson(shared)
    const charset = charsetOf(this.type)
    const text = charset === undefined ? undefined : decode(this.body, charset)
    return text ?? this.#readBytes(shared)
  }

  /** The text of a text type in UTF-8; undefined when it is of another type or charset, or not valid. */
  text(): string | undefined {
    const charset = charsetOf(this.type)
    return charset === 'utf-8' || charset === 'us-ascii' ? decode(this.body, 'utf-8') : undefined
  }

  /** The text of valid JSON; undefined when it is of another type or not valid. */
  jsonText(): string | undefined {
    if (!isJsonType(this.type)) return undefined
    const text = decode(this.body, 'utf-8')
    this.#isJson ??= text !== undefined && parse(text) !== undefined
    return this.#isJson ? text : undefined
  }

  #readBytes(shared: boolean): Uint8Array {
    return shared ? this.body : Buffer.from(this.body)
  }

  #readJson(shared: boolean): unknown {
    const known = shared ? this.#parsed?.deref() : undefined
    if (known !== undefined) return known
    const text = decode(this.body, 'utf-8')
    if (text === undefined) return this.#readBytes(shared)
    const parsed = parse(text)
    if (parsed === undefined) return text
    const { data } = parsed
    if (!shared || typeof data !== 'object' || data === null) return data
    freezeDeep(data)
    this.#parsed = new WeakRef(data)
    return data
  }
}

/** @param canonical gives the instance of an equal body that is stored already */
export function makeContent(
  type: string,
  body: Uint8Array,
  canonical: (id: string, body: Uint8Array) => Uint8Array = (_, given) => given,
): Content {
  const digest = hash('sha256', body, 'base64url')
  const mark = digest.slice(0, DIGEST_CHARS) + hash('sha256', type, 'base64url').slice(0, TYPE_CHARS)
  if (body.byteLength < SHARE_FROM_BYTES) return new Content({ type, body, mark, shareId: undefined })
  const shareId = `body:${digest}`
  return new Content({ type, body: canonical(shareId, body), mark, shareId })
}

/** `application/json`, `text/json` and every `+json`. */
export function isJsonType(type: string): boolean {
  return /^(?:application|text)\/json\s*(?:;|$)|^[^;]+\+json\s*(?:;|$)/i.test(type)
}

/** Charset of a text type, utf-8 unless it says otherwise; undefined: no text. */
export function charsetOf(type: string): string | undefined {
  if (!/^text\//i.test(type)) return undefined
  return /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(type)?.[1]?.toLowerCase() ?? 'utf-8'
}

const CODED_TAG = /^-[a-z0-9]+"$/

/** @returns undefined when the bytes are no text of this charset, or the charset is not known */
function decode(body: Uint8Array, charset: string): string | undefined {
  try {
    return new TextDecoder(charset, { fatal: true, ignoreBOM: true }).decode(body)
  } catch {
    return undefined
  }
}

function parse(text: string): { readonly data: unknown } | undefined {
  try {
    return { data: JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}
