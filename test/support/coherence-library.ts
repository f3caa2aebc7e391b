/**
 * The library and the native cache API in the model: values with tags written as any client's, looks at memory, invalidations in a real
 * log that reach the core as they do in the product. Each piece can be spoilt.
 */
import type { Random } from '../../src/model/random.ts'
import type { VirtualClock } from '../../src/model/virtual-clock.ts'
import { followFence } from '../../src/flow/mount-fence.ts'
import type { MountValues } from '../../src/flow/mount.ts'
import { MountNotes } from '../../src/flow/mount-notes.ts'
import { MountView } from '../../src/flow/mount-view.ts'
import type { Target } from '../../src/model/log.ts'
import type { Coherence } from '../../src/resp/coherence.ts'
import { hashText } from '../../src/resp/coherence-hash.ts'
import { Reader } from '../../src/resp/coherence-reader.ts'
import { Fence } from '../../src/tier/fence.ts'
import type { DoorSession } from './coherence-door.ts'
import type { Judge } from './coherence-judge.ts'

/** Duties that can be left out. */
export type SpoiltLibrary = 'nothing' | 'deaf' | 'late word' | 'no tags' | 'untaught' | 'forgetful'

/** What it is made of. */
export interface LibraryParts {
  readonly clock: VirtualClock
  readonly random: Random
  readonly coherence: Coherence
  readonly judge: Judge
  readonly session: DoorSession
  readonly keys: readonly string[]
  readonly spoilt: SpoiltLibrary
}

const TAGS = ['red', 'blue'] as const
const NAMESPACE = 'redis'
const PREFIX = `${NAMESPACE}:v1:`
/** Room for one note, so that notes give way. */
const NOTES_BYTES = 700

/** See the module's header. */
export class ModelLibrary {
  readonly #parts: LibraryParts
  readonly #fence: Fence
  readonly #view: MountView
  readonly #reader = new Reader()
  /** By key: the tag of its last write from here. */
  readonly #tags = new Map<string, string>()

  constructor(parts: LibraryParts) {
    const { clock, coherence, spoilt, session, random } = parts
    this.#parts = parts
    this.#fence = new Fence(clock)
    const soon = (run: () => void): void => void (spoilt === 'late word' ? clock.after(random() * 4, run) : run())
    const all = (): void => soon(() => coherence.invalidateAll())
    const forget = { key: (name: string) => soon(() => coherence.invalidate(hashText(name))), prefix: all, all }
    const notes = spoilt === 'forgetful' ? new CarelessNotes(NOTES_BYTES) : new MountNotes(NOTES_BYTES)
    this.#view = new MountView(NAMESPACE, { values: NO_VALUES, forget }, { notes, clock })
    const view = (): MountView | undefined => (spoilt === 'deaf' ? undefined : this.#view)
    followFence({ fence: this.#fence, name: NAMESPACE, prefix: () => PREFIX, view })
    session.onTold = () => {
      if (spoilt !== 'untaught') coherence.learned(this.#reader)
    }
  }

  step(value: number): void {
    const { random, keys, session } = this.#parts
    const key = keys[Math.floor(random() * keys.length)] as string
    const chance = random()
    if (chance < 0.35) session.peek(this.#reader, 0, key)
    else if (chance < 0.6) session.get(0, [key])
    else if (chance < 0.75) this.#write(key, value)
    else this.#invalidate(key)
  }

  #write(key: string, value: number): void {
    const { random, session, spoilt, clock } = this.#parts
    const tag = random() < 0.7 ? (TAGS[Math.floor(random() * TAGS.length)] as string) : undefined
    if (tag === undefined) this.#tags.delete(key)
    else this.#tags.set(key, tag)
    const tags = tag === undefined || spoilt === 'no tags' ? [] : [tag]
    if (tags.length === 0) this.#view.notes.drop(key)
    else this.#view.notes.put(key, { type: '', tags, mark: '', writtenMs: clock.now(), freshMs: 1, staleMs: 1 })
    session.set(0, key, { value })
  }

  #invalidate(key: string): void {
    const { random, judge, keys } = this.#parts
    const chance = random()
    const tag = TAGS[Math.floor(random() * TAGS.length)] as string
    const tagged = keys.filter((one) => this.#tags.get(one) === tag)
    const [target, named]: readonly [Target, readonly string[]] =
      chance < 0.45
        ? [{ kind: 'key', key: PREFIX + key }, [key]]
        : chance < 0.8
          ? [{ kind: 'tag', tag }, tagged]
          : chance < 0.9
            ? [{ kind: 'prefix', prefix: PREFIX + key.slice(0, 1) }, [key]]
            : [{ kind: 'namespace', namespace: this.#fence.namespace(NAMESPACE) }, keys]
    this.#fence.append([target], random() < 0.2, 'model')
    judge.invalidated(named)
  }
}

/** Notes that give way without a word. */
class CarelessNotes extends MountNotes {
  override tagged(tag: string): readonly string[] {
    return super.tagged(tag) ?? []
  }
}

const none = (): never => {
  throw new Error('the model has its own way to values')
}
const NO_VALUES: MountValues = { peek: none, get: none, lifetime: none, has: none, set: none, delete: none, change: none }
