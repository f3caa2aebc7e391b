/**
 * A Redis in virtual time as far as coherence sees it: turns of an event loop, broadcast invalidations behind the replies of
 * their turn, expiry that nobody is told of in time, connections that are slow, silent or cut.
 *
 * Its history is kept, state by state, so that what anybody is shown can be judged.
 */
import type { Random } from '../../src/model/random.ts'
import type { VirtualClock } from '../../src/model/virtual-clock.ts'
import type { TrackingEvents, TrackingPort, TrackingSocket } from '../../src/resp/tracking-port.ts'

/** What clients ask. `value` 0 stands for absent. */
export type Ask =
  | { readonly kind: 'get'; readonly db: number; readonly keys: readonly string[] }
  | { readonly kind: 'pttl'; readonly db: number; readonly key: string }
  | {
      readonly kind: 'set'
      readonly db: number
      readonly key: string
      readonly value: number
      readonly px?: number
      readonly nx?: boolean
    }
  | { readonly kind: 'many'; readonly asks: readonly Ask[] }
  | { readonly kind: 'flush' }
  | { readonly kind: 'swap' }

/** What they are answered; `index` is the number of changes there had been, for the judge alone. */
export interface Told {
  readonly values: readonly number[]
  readonly index: number
  readonly isMoved: boolean
}

/** One state of one key. */
export interface State {
  readonly value: number
  /** Place among all changes. */
  readonly index: number
  readonly at: number
  /** When it ends by itself. */
  readonly endsAt: number
}

const NEVER: State = { value: 0, index: 0, at: Number.NEGATIVE_INFINITY, endsAt: Number.POSITIVE_INFINITY }

/** One direction of a connection: in order, each piece with a delay of its own. */
export class Pipe {
  readonly #clock: VirtualClock
  readonly #delay: () => number
  #lastAt = 0
  #stalledUntil = 0
  isCut = false

  constructor(clock: VirtualClock, delay: () => number) {
    this.#clock = clock
    this.#delay = delay
  }

  send(run: () => void): void {
    if (this.isCut) return
    this.#lastAt = Math.max(this.#lastAt, this.#clock.now() + this.#delay(), this.#stalledUntil)
    this.#clock.after(this.#lastAt - this.#clock.now(), () => {
      if (!this.isCut) run()
    })
  }

  stall(ms: number): void {
    this.#stalledUntil = Math.max(this.#stalledUntil, this.#clock.now() + ms)
  }
}

/** What one turn of the loop has changed. */
interface Turn {
  readonly isFlushed: boolean
  readonly pushed: ReadonlySet<string>
  readonly index: number
}

/** A client's connection. */
export interface Line {
  ask(ask: Ask, told: (told: Told) => void): void
  /** Ends it: what is on its way to the server may still be run. */
  cut(): void
}

const THREADS = 'redis_version:8.0.0\r\nio_threads_active:1\r\n'

/** See the module's header. */
export class TrackedRedis {
  readonly #clock: VirtualClock
  readonly #random: Random
  readonly #isClustered: boolean
  readonly #isThreaded: boolean
  readonly #history = new Map<string, State[]>()
  readonly #moved = new Set<string>()
  #ready: (() => (() => void) | undefined)[] = []
  #isTurning = false
  #pushed = new Set<string>()
  #isFlushed = false
  #trackers: ((bytes: string, arrived: () => void) => void)[] = []
  index = 0
  /** Told when a push has been taken in: what it named, and how many changes there had been when it was sent. */
  onPush: (names: readonly string[] | 'everything', index: number) => void = () => undefined
  /** Longest delay of a piece, ms. */
  readonly #slowestMs: number
  #pipes: Pipe[] = []

  constructor(
    clock: VirtualClock,
    random: Random,
    { isClustered, isThreaded, slowestMs }: { isClustered: boolean; isThreaded: boolean; slowestMs: number },
  ) {
    this.#clock = clock
    this.#random = random
    this.#isClustered = isClustered
    this.#isThreaded = isThreaded
    this.#slowestMs = slowestMs
  }

  /** All states of a key, the oldest first. */
  states(db: number, key: string): readonly State[] {
    return this.#states(`${db} ${key}`)
  }

  connect(): Line {
    const [there, back] = [this.#pipe(), this.#pipe()]
    return {
      ask: (ask, told) => {
        there.send(() => {
          this.#enter(() => {
            const reply = this.#run(ask)
            return () => back.send(() => told(reply))
          })
        })
      },
      cut: () => {
        back.isCut = true
        if (this.#random() < 0.5) there.isCut = true
      },
    }
  }

  /** Where the tracking connection leads. */
  port(): TrackingPort {
    return { open: (events) => this.#track(events) }
  }

  /** The tracking connection says nothing for a while, or is cut by the server. */
  disturb(how: 'silent' | 'cut', ms: number): void {
    if (how === 'cut') this.#cut?.()
    else for (const pipe of this.#pipes) pipe.stall(ms)
  }
  #cut: (() => void) | undefined

  /** A key's slot moves to another server: what is written there from now on is not heard of here. */
  move(key: string): void {
    this.#moved.add(key)
    const present = this.#present(`0 ${key}`)
    if (present.value !== 0) this.#push(key)
    this.#soon()
  }

  /** Whether a slot has moved. */
  get hasMoved(): boolean {
    return this.#moved.size > 0
  }

  /** A write by the server that owns the key now. */
  writeElsewhere(key: string, value: number): void {
    this.#change(`0 ${key}`, value, Number.POSITIVE_INFINITY)
  }

  /** Keys whose time is over are deleted, sooner or later. */
  expireSome(): void {
    for (const [name, states] of this.#history) {
      const last = states.at(-1) as State
      if (last.endsAt > this.#clock.now() || this.#random() < 0.5) continue
      this.#change(name, 0, Number.POSITIVE_INFINITY)
      this.#push(name.slice(name.indexOf(' ') + 1))
    }
    this.#soon()
  }

  #pipe(): Pipe {
    return new Pipe(this.#clock, () => (this.#random() < 0.05 ? this.#random() * this.#slowestMs : this.#random() * 2))
  }

  #track(events: TrackingEvents): TrackingSocket {
    const [there, back] = [this.#pipe(), this.#pipe()]
    this.#pipes = [there, back]
    let isTracking = false
    const tell = (bytes: string): void => back.send(() => events.data(Buffer.from(bytes)))
    const push = (bytes: string, arrived: () => void): void => {
      if (!isTracking) return
      tell(bytes)
      back.send(arrived)
    }
    const end = (): void => {
      this.#trackers = this.#trackers.filter((one) => one !== push)
      there.isCut = true
    }
    this.#cut = () => {
      end()
      back.send(() => events.ended('cut'))
    }
    this.#trackers.push(push)
    back.send(() => events.connected())
    return {
      write: (bytes) => {
        const name = Buffer.from(bytes).toString('latin1').split('\r\n')
        there.send(() => {
          this.#enter(() => {
            if (name[2] === 'CLIENT' && name[4] === 'TRACKING') isTracking = true
            const reply = this.#answer(name[2] as string, name[4])
            return () => tell(reply)
          })
        })
      },
      destroy: () => {
        end()
        back.isCut = true
      },
    }
  }

  #answer(name: string, second: string | undefined): string {
    if (name === 'PING') return '+PONG\r\n'
    if (name === 'HELLO')
      return `%3\r\n+proto\r\n:3\r\n+mode\r\n+${this.#isClustered ? 'cluster' : 'standalone'}\r\n+role\r\n+master\r\n`
    if (name === 'COMMAND') return '*0\r\n'
    if (name === 'ACL') return '-NOPERM\r\n'
    if (name === 'INFO') return this.#isThreaded ? `$${THREADS.length}\r\n${THREADS}\r\n` : '$0\r\n\r\n'
    return second === undefined ? '-ERR\r\n' : '+OK\r\n'
  }

  /** A command has arrived: it is run in the next turn, with whatever else is there by then. */
  #enter(run: () => (() => void) | undefined): void {
    this.#ready.push(run)
    this.#soon()
  }

  #soon(): void {
    if (this.#isTurning) return
    this.#isTurning = true
    this.#clock.after(this.#random() * (this.#isThreaded ? 4 : 0.3), () => this.#turn())
  }

  /** Replies first, pushes behind: as broadcast does it. */
  #turn(): void {
    this.#isTurning = false
    const ready = this.#ready
    this.#ready = []
    const replies = ready.map((run) => run())
    // Replies to the tracking connection's own commands stand before the push, as measured; other sockets go as they like.
    for (const reply of replies) reply?.()
    const [isFlushed, pushed] = [this.#isFlushed, this.#pushed]
    this.#isFlushed = false
    this.#pushed = new Set()
    if (this.#isThreaded) this.#pushLater(isFlushed, pushed)
    else this.#pushAll({ isFlushed, pushed, index: this.index })
  }

  /** What threads have answered already is pushed behind the answers of the next turn. */
  #pushLater(isFlushed: boolean, pushed: ReadonlySet<string>): void {
    const late = this.#late
    this.#late = isFlushed || pushed.size > 0 ? { isFlushed, pushed, index: this.index } : undefined
    if (late !== undefined) this.#pushAll(late)
    if (this.#late !== undefined) this.#soon()
  }
  #late: Turn | undefined

  #pushAll({ isFlushed, pushed, index }: Turn): void {
    if (isFlushed) this.#tell('everything', index)
    else if (pushed.size > 0) this.#tell([...pushed], index)
  }

  #tell(names: readonly string[] | 'everything', index: number): void {
    const list =
      names === 'everything'
        ? '_\r\n'
        : `*${names.length}\r\n${names.map((name) => `$${Buffer.byteLength(name)}\r\n${name}\r\n`).join('')}`
    for (const tracker of this.#trackers) tracker(`>2\r\n$10\r\ninvalidate\r\n${list}`, () => this.onPush(names, index))
  }

  #run(ask: Ask): Told {
    switch (ask.kind) {
      case 'get': {
        if (ask.keys.some((key) => this.#moved.has(key))) return { values: [], index: this.index, isMoved: true }
        return { values: ask.keys.map((key) => this.#touch(`${ask.db} ${key}`).value), index: this.index, isMoved: false }
      }
      case 'pttl': {
        if (this.#moved.has(ask.key)) return { values: [Number.NaN], index: this.index, isMoved: true }
        const { value, endsAt } = this.#touch(`${ask.db} ${ask.key}`)
        const left = endsAt === Number.POSITIVE_INFINITY ? -1 : Math.floor(endsAt - this.#clock.now())
        return { values: [value === 0 ? -2 : left], index: this.index, isMoved: false }
      }
      case 'set': {
        const name = `${ask.db} ${ask.key}`
        if (this.#moved.has(ask.key)) return { values: [], index: this.index, isMoved: true }
        const before = this.#touch(name).value
        if (ask.nx === true && before !== 0) return { values: [0], index: this.index, isMoved: false }
        if (before !== 0 || ask.value !== 0) {
          this.#change(
            name,
            ask.value,
            ask.px === undefined || ask.value === 0 ? Number.POSITIVE_INFINITY : this.#clock.now() + ask.px,
          )
          this.#push(ask.key)
        }
        return { values: [1], index: this.index, isMoved: false }
      }
      case 'many':
        for (const one of ask.asks) this.#run(one)
        return { values: [1], index: this.index, isMoved: false }
      case 'flush': {
        for (const name of this.#history.keys())
          if (this.#present(name).value !== 0) this.#change(name, 0, Number.POSITIVE_INFINITY)
        this.#isFlushed = true
        return { values: [], index: this.index, isMoved: false }
      }
      default: {
        this.#swap()
        return { values: [], index: this.index, isMoved: false }
      }
    }
  }

  /** No push, as measured. */
  #swap(): void {
    const keys = new Set([...this.#history.keys()].map((name) => name.slice(2)))
    for (const key of keys) {
      const [one, other] = [this.#present(`0 ${key}`), this.#present(`1 ${key}`)]
      this.#change(`0 ${key}`, other.value, other.endsAt)
      this.#change(`1 ${key}`, one.value, one.endsAt)
    }
  }

  /** As any command finds it: what is over is deleted now. */
  #touch(name: string): State {
    const last = this.#states(name).at(-1) as State
    if (last.value === 0 || last.endsAt > this.#clock.now()) return last
    this.#push(name.slice(name.indexOf(' ') + 1))
    return this.#change(name, 0, Number.POSITIVE_INFINITY)
  }

  #present(name: string): State {
    const last = this.#states(name).at(-1) as State
    return last.endsAt > this.#clock.now() ? last : NEVER
  }

  #push(key: string): void {
    this.#pushed.add(key)
  }

  #states(name: string): State[] {
    let states = this.#history.get(name)
    if (states === undefined) this.#history.set(name, (states = [NEVER]))
    return states
  }

  #change(name: string, value: number, endsAt: number): State {
    this.index += 1
    const state = { value, index: this.index, at: this.#clock.now(), endsAt }
    this.#states(name).push(state)
    return state
  }
}
