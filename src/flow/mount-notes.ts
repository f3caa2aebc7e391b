/**
 * What is known of values that stand elsewhere beside their bytes: media type, tags, how long they are fresh.
 *
 * Floor 3, room flow. Said by whoever wrote them through the library or the native cache API; a Redis has no place for it. A
 * note's type and windows hold for the very bytes it was made with (`mark`), its tags for the key until it goes or is written
 * anew through here: whoever overwrites it by another way may have changed the value in its place. Bounded. Where the
 * values are only memory of a server, the oldest notes give way, and from then on any tag may be any key's; where they stand here
 * alone, no further tag is taken.
 */

/** See the module's header. */
export interface Note {
  readonly type: string
  readonly tags: readonly string[]
  /** ETag of the content it was made with. */
  readonly mark: string
  /** `clock.now()` of the write. */
  readonly writtenMs: number
  readonly freshMs: number
  readonly staleMs: number
}

const NOTE_BYTES = 300
const TAG_BYTES = 100
const CHAR_BYTES = 2

/** See the module's header. */
export class MountNotes {
  readonly #maxBytes: number
  /** Asked where the values stand here alone: whether anything stands under a key. */
  readonly #stands: ((key: string) => boolean) | undefined
  readonly #notes = new Map<string, Note>()
  readonly #tagged = new Map<string, Set<string>>()
  #isForgetful = false
  /** Bytes held, about. */
  bytes = 0

  /** @param stands see the field; undefined: the values are a server's */
  constructor(maxBytes: number, stands?: (key: string) => boolean) {
    this.#maxBytes = maxBytes
    this.#stands = stands
  }

  get size(): number {
    return this.#notes.size
  }

  get(key: string): Note | undefined {
    return this.#notes.get(key)
  }

  /** Whether a value may not be kept over a restart: what was said of it would be lost. */
  binds(key: string): boolean {
    const note = this.#notes.get(key)
    return note !== undefined && (note.tags.length > 0 || note.staleMs > note.freshMs)
  }

  /** @returns false: there is no room, and the note of before stands */
  put(key: string, note: Note): boolean {
    const bytes = bytesOf(key, note)
    const former = this.#notes.get(key)
    const more = bytes - (former === undefined ? 0 : bytesOf(key, former))
    if (this.bytes + more > this.#maxBytes && !this.#makeRoom(more, key)) return false
    this.drop(key)
    this.#notes.set(key, note)
    this.bytes += bytes
    for (const tag of note.tags) {
      const keys = this.#tagged.get(tag)
      if (keys === undefined) this.#tagged.set(tag, new Set([key]))
      else keys.add(key)
    }
    return true
  }

  /** Nothing stands under the key any more, or what stands was written without a word. */
  drop(key: string): void {
    const note = this.#notes.get(key)
    if (note === undefined) return
    this.#notes.delete(key)
    this.bytes -= bytesOf(key, note)
    for (const tag of note.tags) {
      const keys = this.#tagged.get(tag)
      keys?.delete(key)
      if (keys?.size === 0) this.#tagged.delete(tag)
    }
  }

  /** A value was changed, or went. */
  touched(key: string): void {
    if (this.#notes.size > 0 && this.#notes.has(key) && this.#stands?.(key) === false) this.drop(key)
  }

  /** Many went. */
  touchedAll(): void {
    for (const key of [...this.#notes.keys()]) this.touched(key)
  }

  /** Keys that may have a tag; undefined: any. */
  tagged(tag: string): readonly string[] | undefined {
    return this.#isForgetful ? undefined : [...(this.#tagged.get(tag) ?? [])]
  }

  #makeRoom(more: number, coming: string): boolean {
    if (more > this.#maxBytes) return false
    const stands = this.#stands
    for (const key of [...this.#notes.keys()]) {
      if (this.bytes + more <= this.#maxBytes) return true
      if (key === coming) continue
      if (stands === undefined) {
        this.#isForgetful ||= (this.#notes.get(key)?.tags.length ?? 0) > 0
        this.drop(key)
      } else if (!stands(key)) this.drop(key)
    }
    return this.bytes + more <= this.#maxBytes
  }
}

function bytesOf(key: string, { type, tags, mark }: Note): number {
  let chars = key.length + type.length + mark.length
  for (const tag of tags) chars += tag.length
  return NOTE_BYTES + tags.length * TAG_BYTES + chars * CHAR_BYTES
}
