/**
 * One namespace whose values stand elsewhere, as the library and the native cache API see it.
 *
 * Floor 3, room flow. Reads and writes go to where the values stand; beside them stands only what a Redis cannot say of a value (`MountNotes`).
 * A value lives there for its stale window: a reader who speaks the protocol of Redis gets it as long as anybody may. Whoever changes its
 * time to live by another way replaces both windows: all that is left is fresh then.
 */
import type { Budget } from '../model/budget.ts'
import type { Clock } from '../model/clock.ts'
import { ForecacheError } from '../model/errors.ts'
import { BYTES_TYPE, type Content, makeContent } from './content.ts'
import type { Mount, MountFound, MountValues } from './mount.ts'
import type { MountNotes, Note } from './mount-notes.ts'

/** What stands under a key. */
export interface MountStanding {
  readonly content: Content
  readonly stale: boolean
  /** Since its write, where that is known; else 0: it was compared with what stands just now. */
  readonly ageMs: number
  /** What is left of the fresh window, below 0 when stale; Infinity: no end is known. */
  readonly leftMs: number
}

/** A value to be written. */
export interface MountWish {
  readonly type: string
  readonly body: Uint8Array
  readonly budget: Budget
  readonly tags: readonly string[]
}

/** Judges what stands before a write; throws to refuse it. */
export type MountCondition = (standing: Content | undefined) => void

/** What was written. */
export interface MountWritten {
  readonly content: Content
  /** Whether a value stood there before. */
  readonly stood: boolean
}

/** Times to live that differ by less were not changed by anybody, ms. */
const SAME_END_MS = 250

/** See the module's header. */
export class MountView {
  readonly name: string
  readonly notes: MountNotes
  readonly #values: MountValues
  readonly #forget: Mount['forget']
  readonly #clock: Clock

  constructor(name: string, { values, forget }: Mount, around: { readonly notes: MountNotes; readonly clock: Clock }) {
    this.name = name
    this.notes = around.notes
    this.#values = values
    this.#forget = forget
    this.#clock = around.clock
  }

  /** The bytes, where memory has them, may tell them and they are fresh. */
  peek(key: string): Uint8Array | undefined {
    const note = this.notes.get(key)
    if (note !== undefined && note.staleMs > note.freshMs) return undefined // how much is left has to be asked for
    return this.#values.peek(key)
  }

  /** @param wantsTime whether to ask how long it still lives, where that is not needed otherwise @throws (rejects) FC_MOUNT_* */
  async find(key: string, wantsTime: boolean): Promise<MountStanding | undefined> {
    const value = await this.#values.get(key)
    if (value === undefined) return undefined
    const note = this.notes.get(key)
    if (!wantsTime && (note === undefined || note.staleMs === note.freshMs)) return this.#standing(key, value, undefined)
    const ttlMs = await this.#values.lifetime(key)
    return ttlMs === undefined ? undefined : this.#standing(key, value, ttlMs)
  }

  /** Writes, whatever stands. @throws (rejects) FC_MOUNT_* */
  async write(key: string, wish: MountWish): Promise<Content> {
    const content = makeContent(wish.type, wish.body)
    const sent = (): void => this.#note(key, wish, content)
    await this.#values.set(key, { value: content.body, ttlMs: wish.budget.staleMs, sent })
    return content
  }

  /** Writes, and tells what stood; where there is a condition, if it holds. @throws (rejects) what the condition throws, FC_MOUNT_* */
  async put(key: string, wish: MountWish, condition?: MountCondition): Promise<MountWritten> {
    if (condition === undefined) {
      const stood = await this.#values.has(key)
      return { content: await this.write(key, wish), stood }
    }
    const content = makeContent(wish.type, wish.body)
    let stood = false
    await this.#values.change(key, (found) => {
      stood = found !== undefined
      condition(this.#contentOf(key, found))
      this.#note(key, wish, content)
      return { kind: 'set', value: content.body, ttlMs: wish.budget.staleMs }
    })
    return { content, stood }
  }

  /** @returns whether anything stood there @throws (rejects) what the condition throws, FC_MOUNT_* */
  async erase(key: string, condition?: MountCondition): Promise<boolean> {
    if (condition === undefined) return this.#values.delete(key)
    let stood = false
    await this.#values.change(key, (found) => {
      stood = found !== undefined
      condition(this.#contentOf(key, found))
      return { kind: stood ? 'delete' : 'nothing' }
    })
    return stood
  }

  /** An invalidation names a key. */
  forgetKey(key: string): void {
    this.#forget.key(key)
  }

  /** It names all keys that begin so. */
  forgetPrefix(prefix: string): void {
    this.#forget.prefix(prefix)
  }

  /** It names a tag. */
  forgetTag(tag: string): void {
    const keys = this.notes.tagged(tag)
    if (keys === undefined) this.forgetAll()
    else for (const key of keys) this.#forget.key(key)
  }

  /** It names all of the namespace. */
  forgetAll(): void {
    this.#forget.all()
  }

  #contentOf(key: string, found: MountFound | undefined): Content | undefined {
    return found && this.#standing(key, found.value, found.ttlMs).content
  }

  /** @param ttlMs undefined: not asked for */
  #standing(key: string, value: Uint8Array, ttlMs: number | undefined): MountStanding {
    const note = this.notes.get(key)
    const content = makeContent(note?.type ?? BYTES_TYPE, value)
    if (note === undefined) return { content, stale: false, ageMs: 0, leftMs: ttlMs ?? Number.POSITIVE_INFINITY }
    if (content.identity.etag !== note.mark) {
      const bare = note.type === BYTES_TYPE ? content : makeContent(BYTES_TYPE, value)
      return { content: bare, stale: false, ageMs: 0, leftMs: ttlMs ?? Number.POSITIVE_INFINITY }
    }
    const ageMs = Math.max(0, this.#clock.now() - note.writtenMs)
    const leftMs = leftOf(note, ageMs, ttlMs)
    return { content, stale: leftMs <= 0, ageMs, leftMs }
  }

  /** @throws FC_MOUNT_FULL */
  #note(key: string, { type, budget, tags }: MountWish, content: Content): void {
    const { freshMs, staleMs } = budget
    if (type === BYTES_TYPE && tags.length === 0 && freshMs === staleMs) return this.notes.drop(key)
    const note = { type, tags, mark: content.identity.etag, writtenMs: this.#clock.now(), freshMs, staleMs }
    if (!this.notes.put(key, note)) throw new ForecacheError('FC_MOUNT_FULL', { key })
  }
}

/** What is left of the fresh window. @param ttlMs undefined: not asked for, since nothing of it could be stale */
function leftOf({ freshMs, staleMs }: Note, ageMs: number, ttlMs: number | undefined): number {
  if (ttlMs === undefined) return Number.POSITIVE_INFINITY
  const isAsWritten = Math.abs(staleMs - ageMs - ttlMs) <= SAME_END_MS
  return isAsWritten ? Math.min(ttlMs, freshMs - ageMs) : ttlMs
}
