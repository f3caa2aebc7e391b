/**
 * CLIENT TRACKING of the embedded mode: who has read which keys, and the pushes when these change.
 *
 * Floor 4, room resp. As Redis 7: a key is told once to each reader and then forgotten; what a connection changes itself is
 * told behind its reply. Other than Redis it tells of SWAPDB, as of FLUSHALL. Costs nothing while nobody tracks; the table
 * is bounded: beyond it the oldest keys are told as changed.
 */
import { Reply } from './embedded-reply.ts'
import type { Session } from './embedded-session.ts'
import type { TrackingWish } from './embedded-tracking-wish.ts'

/** What tracking needs of the server. */
export interface TrackingPort {
  session(id: number): Session | undefined
  deliver(session: Session, bytes: Uint8Array): void
}

const MOST_KEYS = 1_000_000
const CHANNEL = '__redis__:invalidate'

/** See the module's header. */
export class Tracking {
  readonly #port: TrackingPort
  readonly #trackers = new Set<Session>()
  readonly #readers = new Map<string, Set<number>>()
  /** Keys to be told behind the reply; undefined: all of them. */
  readonly #own = new Map<Session, (string | undefined)[]>()
  /** Changed keys with who changed them, for those who hear of all. */
  readonly #broadcast = new Map<string, Session | undefined>()
  readonly #writer = new Reply()

  constructor(port: TrackingPort) {
    this.#port = port
  }

  /** Somebody tracks. */
  get isUsed(): boolean {
    return this.#trackers.size > 0
  }

  get size(): number {
    return this.#trackers.size
  }

  start(session: Session, wish: TrackingWish): void {
    session.tracking = wish
    session.redirectIsBroken = false
    this.#trackers.add(session)
  }

  stop(session: Session): void {
    session.tracking = undefined
    session.mayCache = false
    session.redirectIsBroken = false
    this.#trackers.delete(session)
    this.#own.delete(session)
    if (this.#trackers.size === 0) this.#readers.clear()
  }

  /** A connection has read keys. */
  remember(session: Session, keys: readonly string[]): void {
    const { tracking } = session
    if (tracking === undefined || tracking.isBroadcast) return
    if ((tracking.optIn && !session.mayCache) || (tracking.optOut && session.mayCache)) return
    for (const key of keys) {
      const readers = this.#readers.get(key)
      if (readers === undefined) this.#readers.set(key, new Set([session.peer.id]))
      else readers.add(session.peer.id)
    }
    while (this.#readers.size > MOST_KEYS) {
      const [oldest] = this.#readers.keys()
      if (oldest !== undefined) this.changed(oldest, undefined)
    }
  }

  /** A key was changed. @param by whom; undefined: nobody's command */
  changed(key: string, by: Session | undefined): void {
    for (const session of this.#trackers) if (session.tracking?.isBroadcast === true) this.#broadcast.set(key, by)
    const readers = this.#readers.get(key)
    if (readers === undefined) return
    this.#readers.delete(key)
    for (const id of readers) {
      const session = this.#port.session(id)
      const wish = session?.tracking
      if (session === undefined || wish === undefined || wish.isBroadcast || (wish.noLoop && session === by)) continue
      if (session === by) this.#later(session, key)
      else this.#send(session, [key])
    }
  }

  /** Everything may have changed. */
  changedAll(by: Session | undefined): void {
    this.#readers.clear()
    for (const session of this.#trackers) {
      if (session === by) this.#later(session, undefined)
      else this.#send(session, undefined)
    }
  }

  /** A command is over: what waited behind its reply is told. */
  settle(): void {
    for (const [session, keys] of this.#own) {
      for (const key of keys) this.#send(session, key === undefined ? undefined : [key])
    }
    this.#own.clear()
    if (this.#broadcast.size === 0) return
    for (const session of this.#trackers) this.#tellAll(session)
    this.#broadcast.clear()
  }

  #tellAll(session: Session): void {
    const wish = session.tracking
    if (wish?.isBroadcast !== true) return
    for (const prefix of wish.prefixes) {
      const keys: string[] = []
      for (const [key, by] of this.#broadcast) {
        if (key.startsWith(prefix) && !(wish.noLoop && by === session)) keys.push(key)
      }
      if (keys.length > 0) this.#send(session, keys)
    }
  }

  #later(session: Session, key: string | undefined): void {
    const keys = this.#own.get(session)
    if (keys === undefined) this.#own.set(session, [key])
    else keys.push(key)
  }

  #send(session: Session, keys: readonly string[] | undefined): void {
    const redirect = session.tracking?.redirect ?? 0
    const target = redirect === 0 ? session : this.#port.session(redirect)
    const writer = this.#writer
    if (target === undefined) {
      session.redirectIsBroken = true
      if (session.version === 3) this.#tellBroken(session, redirect)
      return
    }
    writer.version = target.version === 3 ? 3 : 2
    if (target.version === 3) {
      writer.push(2)
      writer.str('invalidate')
    } else if (target !== session && target.isSubscriber) {
      writer.array(3)
      writer.str('message')
      writer.str(CHANNEL)
    } else return
    if (keys === undefined) writer.null()
    else writer.strs(keys)
    this.#port.deliver(target, Buffer.from(writer.take()))
  }

  #tellBroken(session: Session, redirect: number): void {
    this.#writer.version = 3
    this.#writer.push(2)
    this.#writer.str('tracking-redir-broken')
    this.#writer.integer(redirect)
    this.#port.deliver(session, Buffer.from(this.#writer.take()))
  }
}
