/**
 * A member's end of the log in a drill: the Follower as it ships, driven as src/tier/stream-link.ts does, without promises. One a life.
 */
import type { Clock, Timer } from '../../../src/model/clock.ts'
import type { FenceLink, LinkDraft, LinkReceiver, Settled } from '../../../src/model/link.ts'
import { type Batch, Follower } from '../../../src/tier/follower.ts'
import type { Acknowledgement, LogRow, Proof } from '../../../src/tier/log-store.ts'
import type { Word } from './lean-log.ts'
import type { Member } from './member.ts'
import { ACK_MS, BLIND_MS, type World } from './world.ts'

const RETRY_MS = 20
const MAX_AGAIN = 4
const SLEPT = 1.25
/** What a connection takes beyond a wait. */
const MARGIN_MS = 100
const LOST = new Error('lost')
/** As a promise of which nobody will hear more. */
const DONE = { catch: () => DONE } as unknown as Promise<void>
const NOTHING = (): void => {}

interface Upto {
  readonly target: number
  readonly generation: string
  readonly endAt: number
  readonly then: (hasCome: boolean) => void
}

/** Records that are being read. */
interface Page {
  isOver: boolean
  hasMoved: boolean
  readonly waiting: ((hasMoved: boolean) => void)[]
}

/** See the module's header. */
export class DrillLink implements FenceLink {
  readonly follower: Follower
  readonly world: World
  readonly #node: Member
  readonly #clock: Clock
  readonly #memberName: string
  /** Hears of what is published next. */
  onSettled: ((settled: Settled) => void) | undefined
  /** When the last question was asked that failed. */
  failedAskedAt = Number.NEGATIVE_INFINITY
  /** It was blind until then. */
  blindUntil = Number.NEGATIVE_INFINITY
  /** It has just begun, and was not blind after it had seen the log. */
  isYoung = true
  #page: Page | undefined
  #reproving: (() => void)[] | undefined
  #isPumping = false
  #beatAt = 0
  #watchAt = 0
  #listenAt = Number.POSITIVE_INFINITY
  #retryAt = Number.POSITIVE_INFINITY
  #heardWord = 0

  constructor(world: World, node: Member, clock: Clock) {
    this.world = world
    this.#node = node
    this.#clock = clock
    this.#memberName = `${node.name}.${node.life}`
    this.follower = new Follower({
      clock,
      store: {
        member: this.#memberName,
        acknowledge: (to) => {
          this.#acknowledge(to)
          return DONE
        },
      },
      blindAfterMs: BLIND_MS,
      ackMs: ACK_MS,
      onSight: (sees) => {
        if (sees) this.blindUntil = world.now
        else this.isYoung = false
      },
    })
  }

  get generation(): string {
    return this.follower.generation
  }

  pending(): Iterable<LinkDraft> {
    return this.follower.pending()
  }

  /** What is due of its own. */
  tick(): void {
    const { now } = this.world
    if (this.#beatAt <= now) this.#beat()
    if (this.#watchAt <= now) this.#watch()
    if (this.#listenAt <= now) this.#listen()
    if (this.#retryAt <= now) this.#append()
  }

  start(receiver: LinkReceiver): 0 {
    this.follower.begin(receiver)
    this.#beat()
    this.#watchAt = this.world.now + BLIND_MS
    this.#listen()
    return 0
  }

  publish(draft: LinkDraft): Promise<Settled> {
    const thens: ((settled: Settled) => unknown)[] = []
    if (this.onSettled !== undefined) thens.push(this.onSettled)
    this.follower.publish(draft, (settled) => {
      for (const then of thens) then(settled)
    })
    this.#pump()
    // As a promise that runs what waits at once.
    const settled = { then: (run: (settled: Settled) => unknown) => (thens.push(run), settled) }
    return settled as unknown as Promise<Settled>
  }

  #beat(): void {
    this.#prove(NOTHING)
    this.#beatAt = this.world.now + this.follower.everyMs
  }

  #watch(): void {
    const leftMs = this.follower.provenUntil - this.world.now
    this.#watchAt = this.world.now + (leftMs > 0 ? leftMs : this.follower.everyMs)
    if (leftMs > 0 || this.follower.isBlind) return
    this.follower.doubt()
    this.askOnce(() => {})
  }

  #prove(then: (sees: boolean) => void): void {
    const { follower, world } = this
    const asked = follower.ask()
    let isOver = false
    const end = (hasSeen: boolean): void => {
      if (isOver) return
      isOver = true
      patience.cancel()
      const sees = hasSeen || follower.look()
      if (!sees) {
        this.failedAskedAt = Math.max(this.failedAskedAt, asked.at)
        follower.unproven(asked)
      }
      then(sees)
    }
    const patience = this.#within(follower.everyMs, () => end(false))
    const look = (): void => {
      this.#pump()
      end(follower.look())
    }
    world.ask<Proof>(this.#node, 'prove', {
      ms: BLIND_MS,
      serve: () => world.log.prove(this.#memberName),
      hear: (proof) => {
        if (follower.proven(proof, asked) === 'behind') this.readUpTo(proof.last, BLIND_MS, look)
        else look()
      },
      fail: () => {
        follower.trouble(LOST)
        end(false)
      },
    })
  }

  askOnce(then: () => void): void {
    if (this.#reproving !== undefined) {
      this.#reproving.push(then)
      return
    }
    this.#reproving = [then]
    this.#askAgain(0)
  }

  #askAgain(again: number): void {
    const askedAt = this.world.now
    this.#prove((sees) => {
      const hasSlept = this.world.now - askedAt > this.follower.everyMs * SLEPT
      if (!sees && again < MAX_AGAIN && hasSlept) return this.#askAgain(again + 1)
      if (!sees) {
        this.failedAskedAt = Math.max(this.failedAskedAt, askedAt)
        this.follower.goBlind(askedAt)
      }
      const waiting = this.#reproving ?? []
      this.#reproving = undefined
      for (const then of waiting) then()
    })
  }

  #listen(): void {
    const { follower, world } = this
    this.#listenAt = Number.POSITIVE_INFINITY
    if (follower.generation === '') {
      this.#listenAt = world.now + follower.everyMs / 10
      return
    }
    const after = follower.position
    world.ask<{ readonly rows: readonly LogRow[]; readonly words: readonly Word[] }>(this.#node, 'listen', {
      ms: BLIND_MS / 2 + MARGIN_MS,
      serve: () => {
        const rows = world.log.read(after)
        const words = world.log.words(this.#memberName, this.#heardWord)
        if (rows.length === 0 && words.length === 0) return undefined
        return { rows, words }
      },
      hear: ({ rows, words }) => {
        this.#heardWord = words.at(-1)?.id ?? this.#heardWord
        const acknowledgements = words.map(({ word }) => word)
        this.#heard(rows, acknowledgements)
      },
      fail: () => {
        follower.trouble(LOST)
        this.#listenAt = world.now + RETRY_MS
      },
    })
  }

  #heard(rows: readonly LogRow[], acknowledgements: readonly Acknowledgement[]): void {
    const { follower } = this
    const following = follower.take(rows)
    if (following !== 'gap' && following !== 'other') {
      follower.hear(acknowledgements)
      this.#listen()
      return
    }
    this.#prove(() => {
      const isOther = follower.take(rows) === 'other'
      follower.hear(acknowledgements)
      if (isOther) this.#listenAt = this.world.now + RETRY_MS
      else this.#listen()
    })
  }

  #acknowledge(to: ReadonlyMap<string, Acknowledgement>): void {
    const { log } = this.world
    const serve = (): null => {
      for (const [member, word] of to) log.tell(member, word)
      return null
    }
    this.world.ask(this.#node, 'acknowledge', { ms: this.follower.everyMs, serve })
  }

  #pump(): void {
    if (this.#isPumping || this.follower.generation === '') return
    this.#isPumping = true
    this.#append()
  }

  #append(): void {
    const { follower, world } = this
    this.#retryAt = Number.POSITIVE_INFINITY
    if (follower.waiting === 0) {
      this.#isPumping = false
      return
    }
    const batch: Batch = follower.batch()
    const again = (): void => void (this.#retryAt = world.now + RETRY_MS)
    world.ask(this.#node, 'append', {
      ms: BLIND_MS,
      serve: () => world.log.append(this.#memberName, batch.generation, batch.texts),
      hear: (appended) => {
        if (follower.appended(batch, appended) === 'done') this.#append()
        else this.#prove((sees) => (sees && follower.generation !== batch.generation ? this.#append() : again()))
      },
      fail: () => {
        follower.trouble(LOST)
        again()
      },
    })
  }

  readUpTo(target: number, ms: number, then: (hasCome: boolean) => void): void {
    this.#readOn({ target, generation: this.follower.generation, endAt: this.world.now + ms, then })
  }

  #readOn(upto: Upto): void {
    const { follower, world } = this
    if (follower.position >= upto.target) return upto.then(follower.generation === upto.generation)
    const leftMs = upto.endAt - world.now
    if (leftMs <= 0 || follower.generation !== upto.generation) return upto.then(false)
    const isShared = this.#page !== undefined
    const page = (this.#page ??= this.#readPage(leftMs))
    let isOver = false
    const on = (hasMoved: boolean): void => {
      if (isOver) return
      isOver = true
      patience.cancel()
      if (page.isOver && !hasMoved && !isShared) return upto.then(false)
      if (this.#page === page) this.#page = undefined
      this.#readOn(upto)
    }
    const patience = this.#within(Math.min(leftMs, follower.everyMs), () => on(false))
    if (page.isOver) on(page.hasMoved)
    else page.waiting.push(on)
  }

  /** As the link: one turn later than the timer, so that what lies ready is read first. */
  #within(ms: number, late: () => void): Timer {
    return this.#clock.after(ms, () => void this.#clock.after(0, late))
  }

  #readPage(ms: number): Page {
    const { follower, world } = this
    const { position, generation } = follower
    const page: Page = { isOver: false, hasMoved: false, waiting: [] }
    const end = (hasMoved: boolean): void => {
      page.isOver = true
      page.hasMoved = hasMoved
      for (const on of page.waiting) on(hasMoved)
    }
    world.ask<readonly LogRow[]>(this.#node, 'read', {
      ms,
      serve: () => world.log.read(position),
      hear: (rows) => end(follower.takePage(rows, { position, generation })),
      fail: () => {
        follower.trouble(LOST)
        end(false)
      },
    })
    return page
  }
}
