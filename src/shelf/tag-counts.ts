/**
 * How many entries stand under each tag, not counting those that an invalidation of the tag has made void.
 *
 * Floor 1, room shelf. One record per tag in use; invalidating a tag resets its count in O(1), and the void entries are
 * told apart later by their position. Costs one Map lookup per tag of an entry that comes or goes, none on a hit.
 */
import type { Target } from '../model/log.ts'

interface TagRecord {
  /** Entries not void. */
  living: number
  /** Entries in memory, void ones too: the record lives as long as any. */
  held: number
  /** Entries last proven before this position are void. */
  voidBefore: number
}

/** Bytes that one record is charged with beside the tag's own. */
const RECORD_BYTES = 120

/** See the module's header. */
export class TagCounts {
  readonly #records = new Map<string, TagRecord>()
  #allVoidBefore = 0
  /** Bytes of all records. */
  bytes = 0

  add(tags: readonly string[]): void {
    for (const tag of tags) {
      const record = this.#fresh(tag)
      if (record !== undefined) {
        record.living += 1
        record.held += 1
        continue
      }
      this.#records.set(tag, { living: 1, held: 1, voidBefore: this.#allVoidBefore })
      this.bytes += RECORD_BYTES + tag.length
    }
  }

  /** @param provenAt position at which the entry was last proven current */
  remove(tags: readonly string[], provenAt: number): void {
    for (const tag of tags) {
      const record = this.#fresh(tag)
      if (record === undefined) continue
      record.held -= 1
      if (provenAt >= record.voidBefore) record.living -= 1
      if (record.held > 0) continue
      this.#records.delete(tag)
      this.bytes -= RECORD_BYTES + tag.length
    }
  }

  /** A group was invalidated at `position`. */
  resetBy(target: Target, position: number): void {
    if (target.kind === 'tag') this.reset(target.tag, position)
    else if (target.kind === 'all') this.resetAll(position)
  }

  /** The tag was invalidated at `position`. */
  reset(tag: string, position: number): void {
    const record = this.#fresh(tag)
    if (record === undefined) return
    record.living = 0
    record.voidBefore = position
  }

  /** Everything was invalidated at `position`. */
  resetAll(position: number): void {
    this.#allVoidBefore = position
  }

  count(tag: string): number {
    return this.#fresh(tag)?.living ?? 0
  }

  clear(): void {
    this.#records.clear()
    this.bytes = 0
  }

  #fresh(tag: string): TagRecord | undefined {
    const record = this.#records.get(tag)
    if (record !== undefined && record.voidBefore < this.#allVoidBefore) {
      record.living = 0
      record.voidBefore = this.#allVoidBefore
    }
    return record
  }
}
