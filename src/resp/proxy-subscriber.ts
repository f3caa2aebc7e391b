/**
 * Which of the upstream's frames are messages and confirmations, and not replies to what stands first.
 *
 * Floor 4, room resp. One connection's. SUBSCRIBE and its like are confirmed any number of times, in RESP2 by arrays and in
 * RESP3 by pushes; so behind each one we send a PING with a mark of ours, and its answer ends the confirmations. In RESP2 a
 * subscriber's messages are arrays too: they are told by their first word, which no reply in that mode begins with.
 */
import { TYPE } from '../wire/resp-reply.ts'
import { type Expect, EXPECT } from './pending.ts'

/** Text of our mark. */
const MARK = 'forecache:mark'
const BULK_MARK = `$${MARK.length}\r\n${MARK}\r\n`
/** To be sent behind SUBSCRIBE and its like. */
export const MARK_REQUEST = Buffer.from(`*2\r\n$4\r\nPING\r\n${BULK_MARK}`, 'latin1')
/** How it is answered: to a subscriber in RESP2, and else. */
const MARK_REPLIES = [`*2\r\n$4\r\npong\r\n${BULK_MARK}`, BULK_MARK]

const MESSAGES: ReadonlySet<string> = new Set(['message', 'pmessage', 'smessage'])
const SHARDED: ReadonlySet<string> = new Set(['ssubscribe', 'sunsubscribe'])
const CONFIRMATIONS: ReadonlySet<string> = new Set([...['subscribe', 'unsubscribe', 'psubscribe', 'punsubscribe'], ...SHARDED])
const FIRST_WORD = /^[*>]\d+\r\n\$\d+\r\n([a-z]+)\r\n/

/** What a frame read whole is: the answer to our mark; the client's reply; or one that answers nothing that is counted. */
export type FrameVerdict = 'ours' | 'reply' | 'aside'

/** See the module's header. */
export class Subscriber {
  #channels = 0
  #shards = 0
  /** Confirmed by arrays: RESP2. */
  #isArrays = false
  /** Something has ever been subscribed to. */
  isUsed = false
  /** Behind the present SUBSCRIBE a confirmation or an error has been seen. */
  #isConfirmed = false

  /** The connection is in RESP2's subscriber mode: replies and messages share a form. */
  get isActive(): boolean {
    return this.#isArrays && this.#channels + this.#shards > 0
  }

  /** A SUBSCRIBE or its like has been sent. */
  use(): void {
    this.isUsed = true
  }

  /** The protocol has changed. */
  speak(version: number): void {
    this.#isArrays = version === 2
  }

  /** RESET: nothing is subscribed to any more. */
  reset(): void {
    this.#channels = this.#shards = 0
    this.#isArrays = false
  }

  /** Whether a frame has to be read before it is known what it is. */
  looksAt(type: number, kind: Expect): boolean {
    if (!this.isUsed) return false
    if (type === TYPE.push || kind === EXPECT.subscribe) return true
    return type === TYPE.array && this.isActive
  }

  /** Whether a long frame has to be read to its end. @param begin at least its first 64 bytes */
  needsWhole(begin: Buffer): boolean {
    const word = firstWord(begin)
    return word !== undefined && CONFIRMATIONS.has(word)
  }

  /** What a whole frame is. */
  judge(frame: Buffer, kind: Expect): FrameVerdict {
    const word = firstWord(frame)
    if (word !== undefined && CONFIRMATIONS.has(word)) {
      this.#confirmed(word, frame)
      return 'aside'
    }
    if (frame[0] === TYPE.push || (word !== undefined && MESSAGES.has(word))) return 'aside'
    if (kind !== EXPECT.subscribe) return kind === EXPECT.nothing ? 'aside' : 'reply'
    const isOurs = this.#isConfirmed || MARK_REPLIES.includes(frame.toString('latin1', 0, 64))
    // Every SUBSCRIBE is answered at least once: the first error is its own, the next one is for our mark.
    this.#isConfirmed = !isOurs
    return isOurs ? 'ours' : 'aside'
  }

  #confirmed(word: string, frame: Buffer): void {
    this.#isConfirmed = true
    this.#isArrays = frame[0] === TYPE.array
    const count = Number(/:(\d+)\r\n$/.exec(frame.toString('latin1', Math.max(0, frame.length - 24)))?.[1] ?? 0)
    if (SHARDED.has(word)) this.#shards = count
    else this.#channels = count
  }
}

function firstWord(frame: Buffer): string | undefined {
  return FIRST_WORD.exec(frame.toString('latin1', 0, 48))?.[1]
}
