/**
 * Namespaces of one cache whose values stand elsewhere: the one that the hook's keys stand in, and those of doors of this process.
 *
 * Floor 3, room flow. A door mounts its namespace; the hook's is found when it is looked for, since the hook may come later.
 * Everything else is an ordinary namespace and costs nothing.
 */
import { ForecacheError } from '../model/errors.ts'
import { DEFAULT_HOOK_NAMESPACE, type RedisWish } from './mount-options.ts'
import type { Engine } from './engine.ts'
import type { Mount } from './mount.ts'
import { followFence } from './mount-fence.ts'
import { MountLibrary } from './mount-library.ts'
import { type HookPort, meetingHere } from './mount-meeting.ts'
import { MountNotes } from './mount-notes.ts'
import { MountView } from './mount-view.ts'

/** Of the memory, so much may be notes of a door's values. */
const NOTES_SHARE = 1 / 32

const VERSIONED = /^([A-Za-z0-9_.-]{1,128}):v\d+:/

/** A namespace that may stand elsewhere. */
export interface MountPlace {
  /** Undefined: its values stand in this cache, as any. */
  readonly view: MountLibrary | undefined
}

/** See the module's header. */
export class Mounts {
  readonly #engine: Engine
  readonly #versions: ReadonlyMap<string, number>
  readonly #wish: RedisWish | false
  readonly #doors = new Map<string, MountView>()
  #hooked: { readonly hook: HookPort; readonly view: MountView } | undefined

  constructor(engine: Engine, versions: ReadonlyMap<string, number>) {
    this.#engine = engine
    this.#versions = versions
    this.#wish = engine.settings.redis
    if (this.#wish !== false) this.#follow(this.#hookName(), () => this.#hookView())
  }

  /** What a view of a namespace has to look at; undefined: nothing, for good. */
  place(name: string): MountPlace | undefined {
    if (!this.#doors.has(name) && (this.#wish === false || name !== this.#hookName())) return undefined
    const engine = this.#engine
    const find = (): MountView | undefined => this.find(name)
    let known: { readonly view: MountView; readonly library: MountLibrary } | undefined
    return {
      get view() {
        const view = find()
        if (view === undefined) return undefined
        if (known?.view !== view) known = { view, library: new MountLibrary(engine, view) }
        return known.library
      },
    }
  }

  /** Where a namespace's values stand; undefined: in this cache. */
  find(name: string): MountView | undefined {
    const door = this.#doors.get(name)
    if (door !== undefined) return door
    return this.#wish === false || name !== this.#hookName() ? undefined : this.#hookView()
  }

  /** The namespace that a full key is one of, as `digestKey` writes it (`quote:v2:…`), if it is any. */
  nameIn(full: string): string | undefined {
    return VERSIONED.exec(full)?.[1]
  }

  /** A full key written out may be one of a namespace whose values stand elsewhere: here nothing is written under it. @throws FC_MOUNT_KEY */
  refuse(full: string): void {
    if (this.#doors.size === 0 && (this.#wish === false || meetingHere().hook === undefined)) return
    const name = this.nameIn(full)
    if (name !== undefined && this.find(name) !== undefined) throw new ForecacheError('FC_MOUNT_KEY', { key: full, name })
  }

  /**
   * A door's values: from now on those of its namespace, for everybody who names it; before any view of it is asked for.
   *
   * @param stands whether anything stands under a key, where the values stand in this process alone
   * @returns the view, and a function that ends it: values of a door that is closed are nowhere else
   */
  mount(name: string, mount: Mount, stands?: (key: string) => boolean): { readonly view: MountView; end(): void } {
    const { clock, memory } = this.#engine
    const notes = new MountNotes(Math.floor(memory.maxBytes * NOTES_SHARE), stands)
    const view = new MountView(name, mount, { notes, clock })
    this.#doors.set(name, view)
    return { view, end: this.#follow(name, () => view) }
  }

  #follow(name: string, view: () => MountView | undefined): () => void {
    const prefix = (): string => `${name}:v${this.#versions.get(name) ?? 1}:`
    return followFence({ fence: this.#engine.fence, name, prefix, view })
  }

  #hookName(): string {
    const { namespace } = this.#wish as RedisWish
    return namespace ?? meetingHere().hook?.namespace ?? DEFAULT_HOOK_NAMESPACE
  }

  #hookView(): MountView | undefined {
    const { hook } = meetingHere()
    if (hook === undefined) return undefined
    if (this.#hooked?.hook !== hook) {
      const { server, database } = this.#wish as RedisWish
      const around = { notes: hook.notes, clock: this.#engine.clock }
      this.#hooked = { hook, view: new MountView(this.#hookName(), hook.mount({ server, database }), around) }
    }
    return this.#hooked.view
  }
}
