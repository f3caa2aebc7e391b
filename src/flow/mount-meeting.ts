/**
 * Where the hook and the caches of a thread meet: whoever comes first makes the place, whoever comes later looks there.
 *
 * Floor 3, room flow. The hook may be loaded before everything else, from another copy of this package, or never; so the place is
 * a property of the thread's global object under a name with a version. It holds no value, and costs nothing where nobody comes.
 */
import type { Mount } from './mount.ts'
import type { MountNotes } from './mount-notes.ts'

/** Which server, and which database of it, where the hook talks to several. */
export interface HookWish {
  /** As `stats().upstreams` names it: `127.0.0.1:6379`, `user@127.0.0.1:6379`; undefined: the only one. */
  readonly server?: string | undefined
  readonly database: number
}

/** What the hook offers. */
export interface HookPort {
  /** Namespace of its keys. */
  readonly namespace: string
  readonly notes: MountNotes
  mount(wish: HookWish): Mount
}

/** The place. */
export interface Meeting {
  hook: HookPort | undefined
}

const NAME = Symbol.for('forecache.redis.1')

/** The place of this thread. */
export function meetingHere(): Meeting {
  const held = globalThis as { [NAME]?: Meeting }
  held[NAME] ??= { hook: undefined }
  return held[NAME]
}
