/**
 * Values of a Redis for the other doors, over a line of our own.
 *
 * Floor 4, room resp. Plain commands; what is judged before it is changed is watched meanwhile, so that nobody comes between. Whoever keeps
 * memory beside hears of each command as it is written (`follow`).
 */
import { ForecacheError } from '../model/errors.ts'
import type { MountChange, MountFound, MountValues, MountWrite } from '../flow/mount.ts'
import type { Line, LineFollower, LineReply, LineTurn, LineWords } from './line.ts'

export type { LineFollower } from './line.ts'

/** What memory has to do with it. */
export interface LineMemory {
  /** See MountValues. */
  peek(key: string): Uint8Array | undefined
  /** As `peek`, but may wait until memory has followed. @returns undefined: ask; null: nothing stands */
  find?(key: string): Promise<Uint8Array | null | undefined>
  /** A command is about to be written. @returns who hears of its reply */
  follow(words: LineWords): LineFollower | undefined
}

/** The upstream's PTTL. */
const LASTING = -1
const ABSENT = -2
/** Others who come between a judgement and its write, so many times. */
const MAX_TRIES = 16

/** See the module's header. */
export class LineValues implements MountValues {
  readonly #line: Line
  readonly #memory: LineMemory

  constructor(line: Line, memory: LineMemory) {
    this.#line = line
    this.#memory = memory
  }

  peek(key: string): Uint8Array | undefined {
    return this.#memory.peek(key)
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const known = await this.#memory.find?.(key)
    if (known !== undefined) return known ?? undefined
    return bytesOf(await this.#ask(['GET', key]))
  }

  async lifetime(key: string): Promise<number | undefined> {
    return timeOf(await this.#ask(['PTTL', key]))
  }

  async has(key: string): Promise<boolean> {
    return (await this.#ask(['EXISTS', key])) !== 0
  }

  async set(key: string, write: MountWrite): Promise<void> {
    await this.#ask(setWords(key, write.value, write.ttlMs), write.sent)
  }

  async delete(key: string): Promise<boolean> {
    return (await this.#ask(['DEL', key])) !== 0
  }

  async change(key: string, decide: (found: MountFound | undefined) => MountChange): Promise<void> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      if (await this.#line.turn((ask) => this.#judge(ask, key, decide))) return
    }
    throw new ForecacheError('FC_MOUNT_CONTENDED', { key, times: MAX_TRIES })
  }

  /** @returns whether it is done */
  async #judge(ask: LineTurn, key: string, decide: (found: MountFound | undefined) => MountChange): Promise<boolean> {
    await ask({ words: ['WATCH', key] })
    try {
      const value = bytesOf(await ask({ words: ['GET', key] }))
      const ttlMs = value && timeOf(await ask({ words: ['PTTL', key] }))
      const change = decide(value === undefined || ttlMs === undefined ? undefined : { value, ttlMs })
      if (change.kind === 'nothing') return true
      const words: LineWords = change.kind === 'delete' ? ['DEL', key] : setWords(key, change.value, change.ttlMs)
      await ask({ words: ['MULTI'] })
      await ask({ words })
      // What it writes counts from the sending of EXEC.
      return (await ask({ words: ['EXEC'], sent: () => this.#memory.follow(words) })) !== null
    } finally {
      await ask({ words: ['UNWATCH'] }).catch(() => undefined) // after EXEC there is nothing to take back
    }
  }

  #ask(words: LineWords, sent?: () => void): Promise<LineReply> {
    return this.#line.ask({
      words,
      sent: () => {
        sent?.()
        return this.#memory.follow(words)
      },
    })
  }
}

function setWords(key: string, value: Uint8Array, ttlMs: number): LineWords {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  return ['SET', key, bytes, ...(Number.isFinite(ttlMs) ? ['PX', String(Math.max(1, Math.round(ttlMs)))] : [])]
}

function bytesOf(reply: LineReply): Buffer | undefined {
  return Buffer.isBuffer(reply) ? reply : undefined
}

function timeOf(reply: LineReply): number | undefined {
  if (reply === ABSENT || typeof reply !== 'number') return undefined
  return reply === LASTING ? Number.POSITIVE_INFINITY : reply
}
