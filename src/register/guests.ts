/**
 * What the hook offers the caches of its thread: its values, and word of what is invalidated.
 *
 * Floor 5, room register. Which server is meant is asked anew each time: clients come and go. An invalidation names no server, so it
 * reaches all of them, every user's and every database's.
 */
import type { Mount, MountValues } from '../flow/mount.ts'
import { type HookPort, type HookWish, meetingHere } from '../flow/mount-meeting.ts'
import { MountNotes } from '../flow/mount-notes.ts'
import { ForecacheError } from '../model/errors.ts'
import { hashText } from '../resp/coherence-hash.ts'
import type { LineValues } from '../resp/line-values.ts'
import { Guest } from './guest.ts'
import type { Upstream } from './upstream.ts'

/** Of the hook's memory, so much may be notes. */
const NOTES_SHARE = 1 / 32

/** See the module's header. */
class Guests implements HookPort {
  readonly namespace: string
  readonly notes: MountNotes
  readonly #upstreams: () => Iterable<Upstream>
  readonly #guests = new WeakMap<Upstream, Map<number, Guest>>()

  constructor(
    settings: { readonly namespace: string; readonly maxBytes: number },
    /** Those with clients now. */
    upstreams: () => Iterable<Upstream>,
  ) {
    this.namespace = settings.namespace
    this.notes = new MountNotes(Math.floor(settings.maxBytes * NOTES_SHARE))
    this.#upstreams = upstreams
  }

  mount(wish: HookWish): Mount {
    const all = (): void => {
      for (const { coherence } of this.#upstreams()) coherence.invalidateAll()
    }
    const key = (name: string): void => {
      const hash = hashText(name)
      for (const { coherence } of this.#upstreams()) coherence.invalidate(hash)
    }
    return { values: this.#valuesOf(wish), forget: { key, prefix: all, all } }
  }

  #valuesOf(wish: HookWish): MountValues {
    const sure = (): LineValues => this.#find(wish, true) as LineValues
    return {
      peek: (key) => this.#find(wish, false)?.peek(key),
      get: async (key) => this.#find(wish, this.#servers(wish).length > 1)?.get(key),
      lifetime: async (key) => sure().lifetime(key),
      has: async (key) => sure().has(key),
      set: async (key, write) => sure().set(key, write),
      delete: async (key) => sure().delete(key),
      change: async (key, decide) => sure().change(key, decide),
    }
  }

  /** @throws FC_MOUNT_NONE, FC_MOUNT_WHICH where it has to be found */
  #find(wish: HookWish, hasTo: boolean): LineValues | undefined {
    const [found, another] = this.#servers(wish)
    if (found !== undefined && another === undefined) return this.#guest(found, wish.database).values
    if (!hasTo) return undefined
    const name = this.namespace
    if (found === undefined) throw new ForecacheError('FC_MOUNT_NONE', { name, server: wish.server ?? 'a Redis' })
    throw new ForecacheError('FC_MOUNT_WHICH', {
      name,
      known: this.#servers(wish)
        .map((one) => one.name)
        .join(', '),
    })
  }

  #servers({ server }: HookWish): readonly Upstream[] {
    return [...this.#upstreams()].filter(({ name }) => server === undefined || name === server)
  }

  #guest(upstream: Upstream, database: number): Guest {
    let guests = this.#guests.get(upstream)
    if (guests === undefined) this.#guests.set(upstream, (guests = new Map()))
    let guest = guests.get(database)
    if (guest === undefined) guests.set(database, (guest = new Guest(upstream, database)))
    return guest
  }
}

/** From now on caches of this thread find the hook. @param upstreams those with clients now */
export function openGuests(
  settings: { readonly namespace: string; readonly maxBytes: number },
  upstreams: () => Iterable<Upstream>,
): Pick<HookPort, 'notes'> {
  const guests = new Guests(settings, upstreams)
  meetingHere().hook = guests
  return guests
}
