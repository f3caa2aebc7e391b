/**
 * Reading requests from raw bytes: the few shapes that have one reading only.
 *
 * Floor 5, room server. Pure. `GET` and `HEAD` in HTTP/1.1 with an origin-form target, and blocks of field lines without
 * folding, control characters or bytes above 0x7e. Nothing is repaired and nothing is refused: what is not recognised is
 * another reader's business (RFC 9112 sections 2.2, 3, 5 and 11.2).
 */

import { trimOws } from '../rules/list.ts'

const SPACE = 0x20
const HASH = 0x23
const SLASH = 0x2f
const DELETE = 0x7f
/** " HTTP/1.1" and the end of the line. */
const VERSION = Buffer.from(' HTTP/1.1\r\n', 'latin1')
/** The end of the last field line and the empty line. */
const HEAD_END = Buffer.from('\r\n\r\n', 'latin1')
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const VALUE = /^[\t\x20-\x7e]*$/

/** A request line: where its target stands and where the fields begin. */
export interface RequestLine {
  method: 'GET' | 'HEAD'
  targetStart: number
  targetEnd: number
  fieldsStart: number
}

/**
 * Scans the request line at `at`.
 *
 * @param into written when recognised, so that a hit allocates nothing
 * @returns whether it was recognised
 */
export function scanRequestLine(bytes: Buffer, at: number, into: RequestLine): boolean {
  const method = methodAt(bytes, at)
  if (method === undefined) return false
  const targetStart = at + method.length + 1
  if (bytes[targetStart] !== SLASH) return false
  let i = targetStart + 1
  for (; i < bytes.length; i += 1) {
    const byte = bytes[i] as number
    if (byte === SPACE) break
    if (byte < SPACE || byte >= DELETE || byte === HASH) return false
  }
  const fieldsStart = i + VERSION.length
  if (fieldsStart > bytes.length) return false
  for (let k = 0; k < VERSION.length; k += 1) if (bytes[i + k] !== VERSION[k]) return false
  into.method = method
  into.targetStart = targetStart
  into.targetEnd = i
  into.fieldsStart = fieldsStart
  return true
}

/** Where the head that begins at or before `from` ends (behind its empty line); -1 when the bytes do not hold its end. */
export function headEnd(bytes: Buffer, from: number): number {
  const at = bytes.indexOf(HEAD_END, from)
  return at < 0 ? -1 : at + HEAD_END.length
}

/**
 * The field lines of a block, each ended by CRLF.
 *
 * @returns flat name, value list as `IncomingMessage.rawHeaders` gives it; undefined when any line has another form
 */
export function readFields(block: string): string[] | undefined {
  const raw: string[] = []
  let start = 0
  while (start < block.length) {
    const end = block.indexOf('\r\n', start)
    if (end < 0) return undefined
    const colon = block.indexOf(':', start)
    if (colon < 0 || colon > end) return undefined
    const name = block.slice(start, colon)
    const value = block.slice(colon + 1, end)
    if (!NAME.test(name) || !VALUE.test(value)) return undefined
    raw.push(name, trimOws(value))
    start = end + 2
  }
  return raw
}

function methodAt(bytes: Buffer, at: number): 'GET' | 'HEAD' | undefined {
  const first = bytes[at]
  if (first === 0x47) return bytes[at + 1] === 0x45 && bytes[at + 2] === 0x54 && bytes[at + 3] === SPACE ? 'GET' : undefined
  if (first !== 0x48 || bytes[at + 1] !== 0x45 || bytes[at + 2] !== 0x41 || bytes[at + 3] !== 0x44) return undefined
  return bytes[at + 4] === SPACE ? 'HEAD' : undefined
}

/** Methods whose content, if any, is framed by Content-Length alone. */
const FRAMED = /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|QUERY) [\x21-\x7e]+ HTTP\/1\.1\r\n/

/**
 * How many bytes a request takes whose head is complete, where that is beyond doubt: HTTP/1.1, well-formed fields, no
 * transfer coding, no upgrade, no expectation, at most one Content-Length, a connection that stays.
 *
 * @param head from the request line to the empty line
 * @returns undefined where another reader could see another end
 */
export function messageLength(head: Buffer): number | undefined {
  const text = head.toString('latin1', 0, head.length - 2)
  const line = FRAMED.exec(text)
  if (line === null) return undefined
  const raw = readFields(text.slice(line[0].length))
  if (raw === undefined) return undefined
  let length: number | undefined
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase()
    const value = raw[i + 1] as string
    if (LASTING.has(name) && value.toLowerCase() === 'keep-alive') continue
    if (OPEN_ENDED.has(name)) return undefined
    if (name !== 'content-length') continue
    if (length !== undefined || !/^\d{1,15}$/.test(value)) return undefined
    length = Number(value)
  }
  return head.length + (length ?? 0)
}

const LASTING: ReadonlySet<string> = new Set(['connection', 'proxy-connection'])
const OPEN_ENDED: ReadonlySet<string> = new Set([
  'transfer-encoding',
  'upgrade',
  'expect',
  'connection',
  'proxy-connection',
  'trailer',
  'te',
  'http2-settings',
])

/** Whether a request with these fields has no content and leaves its connection as it is. */
export function isBare(raw: readonly string[]): boolean {
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase()
    if (name === 'content-length') return false
    if (OPEN_ENDED.has(name) && !(LASTING.has(name) && (raw[i + 1] as string).toLowerCase() === 'keep-alive')) return false
  }
  return true
}
