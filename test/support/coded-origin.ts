/**
 * An origin's coded answers, and a press whose work ends when a test says so.
 */
import { brotliDecompressSync, gunzipSync, gzipSync, zstdDecompressSync } from 'node:zlib'
import type { BodySource } from '../../src/model/exchange.ts'
import { Press } from '../../src/wire/press.ts'
import type { DoorStand, Got } from './door-stand.ts'

/** Text that compresses: `bytes` long, told apart by `name`. */
export function wordy(name: string, bytes = 4000): string {
  return `${name} `.repeat(Math.ceil(bytes / (name.length + 1))).slice(0, bytes)
}

/** Bytes as a body. */
export function bytesSource(bytes: Uint8Array): BodySource {
  return {
    async *[Symbol.asyncIterator]() {
      yield bytes
    },
  }
}

/** Text as a gzip body with the fields that belong to it. */
export function gzipped(text: string): { readonly body: BodySource; readonly fields: Record<string, string> } {
  const bytes = gzipSync(text)
  return { body: bytesSource(bytes), fields: { 'content-encoding': 'gzip', 'content-length': String(bytes.length) } }
}

/** What a client makes of an answer: its body without the coding that it came in. */
export function plainText({ text, fields }: Pick<Got, 'text' | 'fields'>): string {
  const bytes = Buffer.from(text, 'latin1')
  switch (fields.get('content-encoding')) {
    case undefined:
      return bytes.toString()
    case 'gzip':
      return gunzipSync(bytes).toString()
    case 'br':
      return brotliDecompressSync(bytes).toString()
    case 'zstd':
      return zstdDecompressSync(bytes).toString()
    default:
      throw new Error(`unexpected coding ${fields.get('content-encoding')}`)
  }
}

/** Lets the press of a door finish what it has. */
export async function pressed(stand: DoorStand): Promise<void> {
  const { press } = stand.door.desk
  while (press.size > 0) await new Promise((resolve) => setImmediate(resolve))
  await stand.settle()
}

/** A press that does the work at once and hands it over when it is let go. */
export class HeldPress extends Press {
  readonly #held: (() => Promise<void>)[] = []

  constructor() {
    super({ concurrency: Infinity, maxBytes: 64 * 1024 * 1024 })
  }

  get held(): number {
    return this.#held.length
  }

  override take<T>(bytes: number, work: () => Promise<T>): Promise<T> | undefined {
    const gate = Promise.withResolvers<void>()
    const taken = super.take(bytes, async () => {
      const [done] = await Promise.all([work(), gate.promise])
      return done
    })
    this.#held.push(async () => {
      gate.resolve()
      await taken?.catch(() => {})
    })
    return taken
  }

  /** Lets one piece of work end; the first unless told otherwise. Resolves when it was handed over. */
  async release(at = 0): Promise<void> {
    await this.#held.splice(at, 1)[0]?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
}
