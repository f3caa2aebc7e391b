/**
 * Inputs for the scanners of the Redis protocol, made from recorded traffic, and what a scanner makes of an input that is
 * cut in a given way, as numbers: equal for equal frames.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Random } from '../../src/model/random.ts'
import { ReplyScanner } from '../../src/wire/resp-reply.ts'
import { BROKEN, LARGE, NEEDS_MORE, PIECE, REQUEST, type RequestLimits, RequestScanner } from '../../src/wire/resp-request.ts'

interface Conversation {
  readonly asked: string
  readonly answered: string
}

const recorded = JSON.parse(readFileSync(join(import.meta.dirname, 'resp-recorded.json'), 'utf8')) as Conversation[]

/** What clients said, and what Redis said. */
export const REQUESTS: readonly Buffer[] = recorded.map(({ asked }) => Buffer.from(asked, 'latin1'))
export const REPLIES: readonly Buffer[] = recorded.map(({ answered }) => Buffer.from(answered, 'latin1'))

/** Bytes that mean something. */
const TELLING: Buffer = Buffer.from('\r\n\r\n$*+-:_#,(!=%~>|;.?0123456789"\'\\ \0tfx', 'latin1')
const NUMBERS = [
  '-1',
  '0',
  '00',
  '+1',
  '1e3',
  '99999999999999999999',
  '9223372036854775807',
  '2147483648',
  '536870913',
  '16385',
  '11',
]
const LONGEST = 300

/** A window of recorded traffic, changed in up to four places; sometimes not at all. */
export function dream(random: Random, from: readonly Buffer[]): Buffer {
  const source = from[pick(random, from.length)] as Buffer
  const start = random() < 0.7 ? 0 : pick(random, source.length)
  let bytes: Buffer = Buffer.from(source.subarray(start, start + 1 + pick(random, LONGEST)))
  for (let changes = pick(random, 5); changes > 0; changes -= 1) bytes = change(random, bytes)
  return bytes
}

function change(random: Random, bytes: Buffer): Buffer {
  const at = pick(random, bytes.length)
  const kind = pick(random, 7)
  if (kind === 0) return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + 1 + pick(random, 8)))])
  if (kind === 1) return Buffer.concat([bytes.subarray(0, at), bytes.subarray(pick(random, bytes.length))])
  if (kind === 2) {
    const number = Buffer.from(NUMBERS[pick(random, NUMBERS.length)] as string)
    return Buffer.concat([bytes.subarray(0, at), number, bytes.subarray(at)])
  }
  if (kind === 3) {
    const byte = Buffer.of(TELLING[pick(random, TELLING.length)] as number)
    return Buffer.concat([bytes.subarray(0, at), byte, bytes.subarray(at)])
  }
  const changed = Buffer.from(bytes)
  if (changed.length > 0) changed[at] = kind === 4 ? pick(random, 256) : (TELLING[pick(random, TELLING.length)] as number)
  return changed
}

/** 0 to below `count`; 0 for none. */
export function pick(random: Random, count: number): number {
  return Math.floor(random() * count)
}

/** How an input is cut: one place, or every so many bytes. */
export interface Cut {
  readonly at?: number
  readonly every?: number
}

/** Chunks that are copies, as a socket gives them. */
export function chunksOf(bytes: Buffer, { at, every = bytes.length || 1 }: Cut): Buffer[] {
  if (at !== undefined) return [bytes.subarray(0, at), bytes.subarray(at)].map((part) => Buffer.from(part))
  const chunks: Buffer[] = []
  for (let i = 0; i < bytes.length; i += every) chunks.push(Buffer.from(bytes.subarray(i, i + every)))
  return chunks
}

/** How requests are to be read. */
export interface RequestReading {
  readonly limits: RequestLimits
  readonly isTrusted: boolean
  /** Large ones are streamed: then arguments are not told. */
  readonly isStreaming: boolean
}

/** A number for each request, then the fault. @throws Error when the scanner goes round in circles or points beyond its bytes */
export function readRequests(chunks: readonly Buffer[], { limits, isTrusted, isStreaming }: RequestReading): (number | string)[] {
  const scanner = new RequestScanner(limits, isTrusted)
  const found: (number | string)[] = []
  let sum = SEED
  for (const chunk of chunks) {
    scanner.push(chunk)
    for (let steps = 0; ; steps += 1) {
      if (steps > chunk.length + 4) throw new Error('it does not come to an end')
      const step = scanner.next()
      if (step === NEEDS_MORE) break
      if (step === BROKEN) return [...found, scanner.faultText]
      if (step === LARGE && !isStreaming) continue
      sum = addBytes(sum, scanner.bytes, scanner)
      if (step === LARGE) scanner.stream()
      if (step === REQUEST && !isStreaming) sum = addArguments(sum, scanner)
      if (step === REQUEST || (step === PIECE && scanner.isLast)) {
        found.push(sum)
        sum = SEED
      }
    }
  }
  return found
}

/** A number for each frame, what is begun, then why it is broken. */
export function readReplies(chunks: readonly Buffer[]): (number | string)[] {
  const scanner = new ReplyScanner()
  const found: (number | string)[] = []
  let sum = SEED
  for (const chunk of chunks) {
    scanner.push(chunk)
    for (let steps = 0; scanner.next(); steps += 1) {
      if (steps > chunk.length) throw new Error('it does not come to an end')
      if (scanner.isFirst) sum = SEED
      sum = addBytes(sum, chunk, scanner)
      if (scanner.isLast) found.push((sum ^ scanner.type) | 0, String(scanner.declaredBytes))
    }
    if (scanner.broken !== undefined) return [...found, scanner.broken]
  }
  return scanner.isIdle ? found : [...found, sum]
}

const SEED = 0x811c9dc5 | 0

function addBytes(sum: number, bytes: Uint8Array, { start, end }: { start: number; end: number }): number {
  if (start < 0 || end < start || end > bytes.length) throw new Error(`${start} to ${end} of ${bytes.length} bytes`)
  let all = sum
  for (let i = start; i < end; i += 1) all = Math.imul(all ^ (bytes[i] as number), 0x01000193)
  return all
}

function addArguments(sum: number, { start, end, starts, ends, count, declared, isExact }: RequestScanner): number {
  if (count !== declared) throw new Error(`${count} of ${declared} arguments`)
  let all = isExact ? sum : ~sum
  let last = start
  for (let i = 0; i < count; i += 1) {
    const from = starts[i] as number
    const to = ends[i] as number
    if (from < last || to < from || to + 2 > end) throw new Error(`argument ${i} stands from ${from} to ${to}`)
    all = Math.imul(all ^ (from - start), 0x01000193) + (to - from)
    last = to + 2
  }
  return all
}
