/**
 * A connection of our own on which the other doors read and write values: questions and their replies, in RESP2.
 *
 * Floor 4, room resp. A client like any other to whatever stands behind the port, so the same rules keep it true. Made when it is first
 * needed and again after it was lost; each question is under a deadline, and a turn of several has nobody between.
 */
import type { Clock, Timer } from '../model/clock.ts'
import { ForecacheError } from '../model/errors.ts'
import { ReplyScanner } from '../wire/resp-reply.ts'
import { encodeCommand } from './tracking-commands.ts'
import type { TrackingPort, TrackingSocket } from './tracking-port.ts'

/** A reply as data: nil is null, a bulk is bytes of its own. */
export type LineReply = string | number | null | Buffer | LineError | readonly LineReply[]

/** What the server refused, in its words. */
export class LineError {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** A command's words, its name first. */
export type LineWords = readonly (string | Buffer)[]

/** Hears of one command, within the callbacks in which it is written and its reply is read. */
export interface LineFollower {
  /** The reply, before anybody else sees it. */
  replied(reply: Exclude<LineReply, LineError>): void
  /** Refused, or nobody knows what became of it. */
  failed(): void
}

/** A question. */
export interface LineAsk {
  readonly words: LineWords
  /** Runs right before it is written; may throw: then it is not. @returns who hears of its reply */
  readonly sent?: () => LineFollower | undefined
}

/** Asks within a turn. */
export type LineTurn = (ask: LineAsk) => Promise<LineReply>

/** What a line is made with. */
export interface LineParts {
  readonly clock: Clock
  /** For errors. */
  readonly name: string
  readonly port: TrackingPort
  /** Sent first on each connection; one that is refused ends it. */
  readonly greeting: readonly LineWords[]
  /** Asked behind the greeting, and told whatever the answer is. */
  readonly introduction?: { readonly words: LineWords; readonly told: (reply: LineReply) => void }
  /** A connection is gone. */
  readonly onEnd?: () => void
  /** Whether questions may follow each other before they are answered. */
  readonly isPipelined: boolean
}

interface Waiting {
  readonly follower: LineFollower | undefined
  readonly resolve: (reply: LineReply) => void
  readonly reject: (error: unknown) => void
  readonly late: Timer
}

const DEADLINE_MS = 5000
/** Questions that wait for an answer; more are refused. */
const MAX_WAITING = 65_536

/** See the module's header. */
export class Line {
  readonly #parts: LineParts
  #socket: TrackingSocket | undefined
  #opening: Promise<void> | undefined
  #scanner = new ReplyScanner()
  #pieces: Buffer[] = []
  #waiting: Waiting[] = []
  #count = 0
  /** What the next question waits for: the writing of the one before it, its reply, or the end of a turn. */
  #gate: Promise<unknown> = Promise.resolve()
  #isClosed = false

  constructor(parts: LineParts) {
    this.#parts = parts
  }

  /** @throws (rejects) FC_RESP_DOWN, FC_RESP_REPLY, FC_MOUNT_TYPE; what `sent` throws */
  async ask(question: LineAsk): Promise<Exclude<LineReply, LineError>> {
    return assertReply(question.words, await this.#queue(question))
  }

  /** Has nobody else ask until it is over. @throws (rejects) what it throws */
  turn<T>(run: (ask: LineTurn) => Promise<T>): Promise<T> {
    const ask: LineTurn = async (question) => {
      await this.#ready()
      return assertReply(question.words, await this.#exchange(question))
    }
    const turn = this.#gate.then(() => run(ask))
    this.#gate = turn.catch(() => undefined)
    return turn
  }

  /** Ends it for good: whoever asks is refused. */
  close(): void {
    this.#isClosed = true
    this.#drop()
  }

  #queue(question: LineAsk): Promise<LineReply> {
    if (this.#count >= MAX_WAITING) return Promise.reject(this.#down())
    this.#count += 1
    const written = this.#gate.then(async () => {
      await this.#ready()
      return { reply: this.#exchange(question) }
    })
    const asked = written.then(({ reply }) => reply)
    this.#gate = (this.#parts.isPipelined ? written : asked).catch(() => undefined)
    const over = (): void => {
      this.#count -= 1
    }
    asked.then(over, over)
    return asked
  }

  /** The connection stands and is greeted. */
  async #ready(): Promise<void> {
    if (this.#isClosed) throw this.#down()
    if (this.#opening !== undefined || this.#socket === undefined) await (this.#opening ??= this.#open())
  }

  #drop(): void {
    const socket = this.#socket
    socket?.destroy()
    if (socket !== undefined) this.#ended(socket)
  }

  async #open(): Promise<void> {
    try {
      await this.#connect()
      const { greeting, introduction } = this.#parts
      for (const words of greeting) assertReply(words, await this.#exchange({ words }))
      if (introduction !== undefined) introduction.told(await this.#exchange({ words: introduction.words }))
    } catch (error) {
      this.#drop()
      throw error
    } finally {
      this.#opening = undefined
    }
  }

  #connect(): Promise<void> {
    this.#scanner = new ReplyScanner()
    this.#pieces = []
    return new Promise((resolve, reject) => {
      const over = (): void => {
        late.cancel()
        reject(this.#down())
        this.#ended(socket)
      }
      const late = this.#parts.clock.after(DEADLINE_MS, () => {
        socket.destroy()
        over()
      })
      const opened = (): void => {
        late.cancel()
        queueMicrotask(resolve) // some ports are open before they have said what they are
      }
      const socket = this.#parts.port.open({ connected: opened, data: (chunk) => this.#read(chunk), ended: over })
      this.#socket = socket
    })
  }

  #exchange({ words, sent }: LineAsk): Promise<LineReply> {
    const socket = this.#socket
    if (socket === undefined) return Promise.reject(this.#down())
    return new Promise((resolve, reject) => {
      const follower = sent?.()
      const late = this.#parts.clock.after(DEADLINE_MS, () => {
        socket.destroy()
        this.#ended(socket)
      })
      this.#waiting.push({ follower, resolve, reject, late })
      socket.write(encodeCommand(words))
    })
  }

  #read(chunk: Buffer): void {
    const scanner = this.#scanner
    scanner.push(chunk)
    while (scanner.next()) {
      this.#pieces.push(chunk.subarray(scanner.start, scanner.end))
      if (!scanner.isLast) continue
      const frame = this.#pieces.length === 1 ? (this.#pieces[0] as Buffer) : Buffer.concat(this.#pieces)
      this.#pieces = []
      this.#answer(parseReply(frame))
    }
    if (scanner.broken !== undefined) this.#drop()
  }

  #answer(reply: LineReply): void {
    const waiting = this.#waiting.shift()
    if (waiting === undefined) return
    waiting.late.cancel()
    if (reply instanceof LineError) waiting.follower?.failed()
    else waiting.follower?.replied(reply)
    waiting.resolve(reply)
  }

  #ended(socket: TrackingSocket): void {
    if (this.#socket !== socket) return
    this.#socket = undefined
    const waiting = this.#waiting
    this.#waiting = []
    for (const { follower, reject, late } of waiting) {
      late.cancel()
      follower?.failed()
      reject(this.#down())
    }
    this.#parts.onEnd?.()
  }

  #down(): ForecacheError {
    return new ForecacheError('FC_RESP_DOWN', { name: this.#parts.name })
  }
}

function assertReply(words: LineWords, reply: LineReply): Exclude<LineReply, LineError> {
  if (!(reply instanceof LineError)) return reply
  if (reply.text.startsWith('WRONGTYPE')) throw new ForecacheError('FC_MOUNT_TYPE', { key: String(words[1]) })
  throw new ForecacheError('FC_RESP_REPLY', { command: String(words[0]), reason: reply.text })
}

const [SIMPLE, ERROR, INTEGER, BULK] = [0x2b, 0x2d, 0x3a, 0x24]

/** One whole frame of RESP2. */
export function parseReply(frame: Buffer): LineReply {
  return readItem(frame, 0).reply
}

function readItem(frame: Buffer, at: number): { readonly reply: LineReply; readonly end: number } {
  const lineEnd = frame.indexOf('\r\n', at)
  const line = frame.toString('utf8', at + 1, lineEnd)
  const behind = lineEnd + 2
  switch (frame[at]) {
    case SIMPLE:
      return { reply: line, end: behind }
    case ERROR:
      return { reply: new LineError(line), end: behind }
    case INTEGER:
      return { reply: Number(line), end: behind }
    default:
  }
  const length = Number(line)
  if (length < 0) return { reply: null, end: behind }
  if (frame[at] === BULK) return { reply: Buffer.from(frame.subarray(behind, behind + length)), end: behind + length + 2 }
  const items: LineReply[] = []
  let end = behind
  for (let i = 0; i < length; i += 1) {
    const item = readItem(frame, end)
    items.push(item.reply)
    end = item.end
  }
  return { reply: items, end }
}
