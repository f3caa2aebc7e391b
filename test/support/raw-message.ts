/**
 * HTTP/1.1 messages read strictly, for tests: what RFC 9112 does not allow is thrown, nothing is repaired.
 */

/** A field as written: `Name: value`. */
export type FieldLine = `${string}:${string}`

/** Fields in the order they came. */
export class FieldLines {
  readonly lines: readonly (readonly [name: string, value: string])[]

  constructor(lines: readonly (readonly [name: string, value: string])[]) {
    this.lines = lines
  }

  /** Every value of a field, as lines. */
  all(name: string): string[] {
    return this.lines.filter(([given]) => given.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
  }

  /** All values of a field joined by commas. */
  get(name: string): string | undefined {
    const values = this.all(name)
    return values.length === 0 ? undefined : values.join(', ')
  }

  has(name: string): boolean {
    return this.all(name).length > 0
  }
}

/** @throws Error on anything but `start-line CRLF *( field-line CRLF )` */
export function parseHead(raw: string): { start: string; lines: [string, string][] } {
  const [start = '', ...rest] = raw.split('\r\n')
  if (/[\r\n\0]/.test(raw.replaceAll('\r\n', ''))) throw new Error('a bare CR, LF or NUL')
  const lines = rest.map((line): [string, string] => {
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):([\t\x20-\xff]*)$/.exec(line)
    if (match === null) throw new Error(`no field line: ${JSON.stringify(line)}`)
    return [match[1] as string, (match[2] as string).replace(/^[ \t]+/, '').trimEnd()]
  })
  return { start, lines }
}

/** What a body was ended by. */
export type Framing = 'none' | 'length' | 'chunked' | 'close'

/** A body read to its end. */
export interface TakenBody {
  readonly body: Buffer
  readonly trailers: FieldLines
  readonly rest: Buffer
}

/** @throws Error on two framings, several lengths or a coding other than chunked */
export function framingOf(fields: FieldLines, otherwise: 'none' | 'close'): Framing {
  const lengths = fields.all('content-length')
  const coding = fields.get('transfer-encoding')
  if (lengths.length > 1 || lengths.some((one) => !/^\d+$/.test(one))) throw new Error(`Content-Length: ${lengths.join(' | ')}`)
  if (coding !== undefined && lengths.length > 0) throw new Error('Content-Length and Transfer-Encoding together')
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') throw new Error(`Transfer-Encoding: ${coding}`)
  if (coding !== undefined) return 'chunked'
  return lengths.length === 1 ? 'length' : otherwise
}

/** @returns undefined while the body is incomplete; for `close` always */
export function takeBody(held: Buffer, fields: FieldLines, otherwise: 'none' | 'close'): TakenBody | undefined {
  const none = new FieldLines([])
  switch (framingOf(fields, otherwise)) {
    case 'none':
      return { body: Buffer.alloc(0), trailers: none, rest: held }
    case 'length': {
      const length = Number(fields.get('content-length'))
      return held.length < length ? undefined : { body: held.subarray(0, length), trailers: none, rest: held.subarray(length) }
    }
    case 'chunked': {
      const read = readChunks(held)
      return read.end === undefined ? undefined : { body: read.body, trailers: read.end.trailers, rest: read.end.rest }
    }
    default:
      return undefined
  }
}

/** The chunks that are there, and the end when it is. */
export function readChunks(held: Buffer): { body: Buffer; end: { trailers: FieldLines; rest: Buffer } | undefined } {
  const parts: Buffer[] = []
  let at = 0
  for (;;) {
    const eol = held.indexOf('\r\n', at)
    if (eol < 0) break
    const line = held.toString('latin1', at, eol)
    if (!/^[0-9a-fA-F]{1,8}$/.test(line)) throw new Error(`no chunk size: ${JSON.stringify(line)}`)
    const size = Number.parseInt(line, 16)
    at = eol + 2
    if (size === 0) {
      const trailers = readTrailers(held.subarray(at))
      return { body: Buffer.concat(parts), end: trailers }
    }
    parts.push(held.subarray(at, Math.min(at + size, held.length)))
    if (held.length < at + size + 2) break
    if (held.toString('latin1', at + size, at + size + 2) !== '\r\n') throw new Error('a chunk is longer than its size')
    at += size + 2
  }
  return { body: Buffer.concat(parts), end: undefined }
}

function readTrailers(held: Buffer): { trailers: FieldLines; rest: Buffer } | undefined {
  if (held.indexOf('\r\n') === 0) return { trailers: new FieldLines([]), rest: held.subarray(2) }
  const end = held.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const { lines } = parseHead(`\r\n${held.toString('latin1', 0, end)}`)
  return { trailers: new FieldLines(lines), rest: held.subarray(end + 4) }
}
