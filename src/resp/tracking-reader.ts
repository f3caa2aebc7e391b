/**
 * Reads the tracking connection: replies as data, invalidations as hashes of keys, in the order in which they came.
 *
 * Floor 4, room resp. RESP3, in any cut of the bytes. Keys of an invalidation are hashed where they lie and never become
 * strings. Bounded: what is nested too deep, longer than `maxBytes`, or no RESP at all ends the connection, which voids everything.
 * Source: RESP protocol specification, redis.io.
 */
import { hashBytes } from './coherence-hash.ts'

/** An error that the server answered. */
export class ReplyError {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** A reply: bulk strings as Latin-1 text, sets as lists, maps as lists of names and values in turn. */
export type Reply = string | number | boolean | null | ReplyError | Reply[]

/** Who is told. */
export interface TrackingListener {
  reply(value: Reply): void
  invalidated(hash: number): void
  invalidatedAll(): void
}

const CR = 0x0d
const LF = 0x0a
const MAX_DEPTH = 24
const MAX_LINE = 4096
const EMPTY = Buffer.alloc(0)

/** A list that is being filled. */
interface Open {
  readonly items: Reply[]
  left: number
  readonly kind: 'list' | 'push' | 'attribute' | 'keys'
}

/** See the module's header. */
export class TrackingReader {
  readonly #listener: TrackingListener
  readonly #maxBytes: number
  readonly #stack: Open[] = []
  #chunks: Buffer[] = []
  #held = 0
  /** Nothing can be read before so many bytes are there. */
  #needed = 1
  #bytes: Buffer = EMPTY
  #at = 0

  /** @param maxBytes longest bulk string */
  constructor(listener: TrackingListener, maxBytes: number) {
    this.#listener = listener
    this.#maxBytes = maxBytes
  }

  /** Reads on. @throws RangeError where the bytes are not what they should be; then the connection is of no use */
  read(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#held += chunk.length
    if (this.#held < this.#needed) return
    this.#bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#held)
    this.#at = 0
    this.#needed = 1
    while (this.#at < this.#bytes.length && this.#token());
    const rest = this.#bytes.subarray(this.#at)
    this.#chunks = rest.length === 0 ? [] : [rest]
    this.#held = rest.length
    this.#bytes = EMPTY
  }

  /** Reads one header and, of a string, its bytes. @returns false: they are not all there */
  #token(): boolean {
    const bytes = this.#bytes
    const start = this.#at
    const lf = bytes.indexOf(LF, start)
    if (lf < 0) {
      if (bytes.length - start > MAX_LINE) throw new RangeError('a line without an end')
      this.#needed = bytes.length - start + 1
      return false
    }
    if (bytes[lf - 1] !== CR) throw new RangeError('a line without CR')
    const kind = String.fromCharCode(bytes[start] as number)
    if (kind === '$' || kind === '=' || kind === '!') return this.#bulk(kind, lf)
    this.#at = lf + 1
    const text = bytes.toString('latin1', start + 1, lf - 1)
    switch (kind) {
      case '+':
      case '(':
        this.#add(text)
        break
      case '-':
        this.#add(new ReplyError(text))
        break
      case ':':
      case ',':
        this.#add(Number(text))
        break
      case '#':
        this.#add(text === 't')
        break
      case '_':
        this.#addNull()
        break
      default:
        this.#open(kind, text)
    }
    return true
  }

  #bulk(kind: string, lf: number): boolean {
    const bytes = this.#bytes
    const length = this.#length(bytes.toString('latin1', this.#at + 1, lf - 1), this.#maxBytes)
    if (length < 0) {
      this.#at = lf + 1
      this.#addNull()
      return true
    }
    const end = lf + 1 + length + 2
    if (end > bytes.length) {
      this.#needed = end - this.#at
      return false
    }
    this.#at = end
    const open = this.#stack.at(-1)
    if (open?.kind === 'keys') {
      this.#listener.invalidated(hashBytes(bytes, lf + 1, lf + 1 + length))
      this.#count(open)
      return true
    }
    const text = bytes.toString('latin1', lf + 1, lf + 1 + length)
    this.#add(kind === '!' ? new ReplyError(text) : kind === '=' ? text.slice(4) : text)
    return true
  }

  #open(kind: string, text: string): void {
    const parent = this.#stack.at(-1)
    const isKeys = parent?.kind === 'push' && parent.items.length === 1 && parent.items[0] === 'invalidate'
    const isPair = kind === '%' || kind === '|'
    if (!isPair && kind !== '*' && kind !== '~' && kind !== '>') throw new RangeError(`unknown type ${JSON.stringify(kind)}`)
    const length = this.#length(text, this.#maxBytes) * (isPair ? 2 : 1)
    if (length < 0) return this.#addNull()
    if (this.#stack.length >= MAX_DEPTH) throw new RangeError('lists nested too deep')
    const open: Open = {
      items: [],
      left: length,
      kind: isKeys ? 'keys' : kind === '>' ? 'push' : kind === '|' ? 'attribute' : 'list',
    }
    this.#stack.push(open)
    if (length === 0) this.#close(open)
  }

  #length(text: string, max: number): number {
    const length = Number(text)
    if (text === '' || !Number.isInteger(length) || length < -1 || length > max) throw new RangeError(`a length of ${text}`)
    return length
  }

  /** No keys at all instead of a list: everything. */
  #addNull(): void {
    const open = this.#stack.at(-1)
    if (open?.kind === 'push' && open.items.length === 1 && open.items[0] === 'invalidate') this.#listener.invalidatedAll()
    this.#add(null)
  }

  #add(value: Reply): void {
    const open = this.#stack.at(-1)
    if (open === undefined) return this.#listener.reply(value)
    if (open.kind === 'keys') throw new RangeError('a key that is no string')
    open.items.push(value)
    this.#count(open)
  }

  #count(open: Open): void {
    open.left -= 1
    if (open.left === 0) this.#close(open)
  }

  #close(open: Open): void {
    this.#stack.pop()
    if (open.kind === 'list') this.#add(open.items)
    else if (open.kind === 'keys') this.#add(null)
    else if (open.kind === 'push' && this.#stack.length > 0) throw new RangeError('a push inside of a reply')
  }
}
