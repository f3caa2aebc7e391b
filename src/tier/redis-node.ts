/**
 * One server, kept connected: every call has a deadline, and a server that is silent is left alone until it answers again.
 *
 * Floor 2, room tier. The breaker trips on silence: when calls wait and nothing at all has been heard for `silentMs`, the
 * connections are thrown away, calls are refused at once, and a new connection must be greeted before one goes out again.
 * Where replies take their time, silence is what lasts longer than they do: a slow way is not a dead one.
 * A frozen server therefore costs a few calls their deadline, and then nothing. What waits is bounded. As many
 * connections as `CONNECTIONS`, always: writing does not stand in the way of reading.
 */
import type { Clock, Timer } from '../model/clock.ts'
import { ForecacheError } from '../model/errors.ts'
import type { Random } from '../model/random.ts'
import { addressText, type NodeAddress } from './redis-address.ts'
import type { RedisCommand, RedisConnection, RedisReply, ServerInfo } from './redis-client.ts'

/** Which of a node's connections a call takes: `behind` is for what nobody waits for. */
export type RedisLane = 'ahead' | 'behind'
export const CONNECTIONS = 2

/** Limits of a node. */
export interface NodeLimits {
  /** For connecting, logging in and the first reply together. */
  readonly connectMs: number
  /** Nothing heard for so long while calls wait: the breaker trips. */
  readonly silentMs: number
  /** First and longest wait before connecting anew. */
  readonly retryMs: number
  readonly maxRetryMs: number
  /** Calls that may wait for a reply. */
  readonly maxWaiting: number
}

export const NODE_LIMITS: NodeLimits = {
  connectMs: 2000,
  silentMs: 150,
  retryMs: 50,
  maxRetryMs: 1000,
  maxWaiting: 10_000,
}

/** Silence is at least so many times what the last replies have taken. */
const PATIENCE = 2
/** How much of the longest reply is remembered with each shorter one. */
const MEMORY = 0.8

/** What a node works with. */
export interface NodeParts {
  readonly clock: Clock
  readonly random: Random
  readonly limits: NodeLimits
  /** Where the server is now; asked anew before each attempt. */
  locate(): NodeAddress | Promise<NodeAddress>
  open(address: NodeAddress, onEnd: (reason: string) => void): Promise<RedisConnection>
  /** Whether this server may be used: a master where a master is needed. @returns why not */
  refuse(info: ServerInfo): string | undefined
  /** Runs at each change of `isUp`. */
  onState(isUp: boolean, reason: string): void
}

/** See the module's header. */
export class RedisNode {
  readonly #parts: NodeParts
  #lines: readonly Line[] = []
  #address: NodeAddress
  #isUp = false
  #isClosed = false
  #connecting = false
  #reason = 'not connected yet'
  #retry: Timer | undefined
  #waitMs: number

  constructor(parts: NodeParts, address: NodeAddress) {
    this.#parts = parts
    this.#address = address
    this.#waitMs = parts.limits.retryMs
    void this.#connect()
  }

  get isUp(): boolean {
    return this.#isUp
  }

  get address(): NodeAddress {
    return this.#address
  }

  /** What the server said of itself when it was connected to last. */
  get info(): ServerInfo | undefined {
    return this.#lines[0]?.connection.info
  }

  /** Calls that wait for a reply. */
  get waiting(): number {
    return this.#lines.reduce((sum, line) => sum + line.waiting, 0)
  }

  /**
   * Sends commands one behind the other on one connection.
   *
   * @returns the last one's reply
   * @throws (rejects) FC_L2_DOWN at once while the breaker is open, FC_L2_TIMEOUT, FC_L2_REPLY, FC_L2_BUSY
   */
  call(commands: readonly RedisCommand[], deadlineMs: number, lane: RedisLane): Promise<RedisReply> {
    const line = this.#lines[lane === 'ahead' ? 0 : CONNECTIONS - 1]
    if (line === undefined) return Promise.reject(this.#down())
    const { clock, limits } = this.#parts
    const address = addressText(this.#address)
    if (line.waiting >= limits.maxWaiting) {
      return Promise.reject(new ForecacheError('FC_L2_BUSY', { address, max: limits.maxWaiting }))
    }
    return new Promise<RedisReply>((resolve, reject) => {
      let isOpen = true
      const timer = clock.after(deadlineMs, () => setImmediate(onLate))
      const onLate = (): void => {
        // One turn later than the timer: after a pause of this process, replies that lie ready are read first.
        if (!isOpen) return
        isOpen = false
        reject(new ForecacheError('FC_L2_TIMEOUT', { address, ms: deadlineMs }))
        this.#tripIfSilent(line)
      }
      const settle = (finish: () => void): void => {
        timer.cancel()
        isOpen = false
        finish()
      }
      line.send(commands, clock).then(
        (reply) => settle(() => resolve(reply)),
        (error: unknown) => settle(() => reject(error)),
      )
    })
  }

  /** Throws the connections away and connects anew: the server is not what it should be. */
  drop(reason: string): void {
    if (this.#isClosed) return
    const old = this.#lines
    this.#lines = []
    this.#setState(false, reason)
    for (const line of old) line.connection.destroy()
    this.#again()
  }

  close(): void {
    this.#isClosed = true
    this.#retry?.cancel()
    const old = this.#lines
    this.#lines = []
    this.#setState(false, 'closed')
    for (const line of old) line.connection.destroy()
  }

  /** A call was not answered in time: is it this call, or is it the server? */
  #tripIfSilent(line: Line): void {
    if (!this.#lines.includes(line)) return
    const quietMs = this.#parts.clock.now() - line.quietSince
    if (quietMs >= Math.max(this.#parts.limits.silentMs, line.wayMs * PATIENCE)) this.drop(`silent for ${Math.round(quietMs)} ms`)
  }

  async #connect(): Promise<void> {
    if (this.#connecting || this.#isClosed) return
    this.#connecting = true
    const fresh: Line[] = []
    let ended: string | undefined
    const onEnd = (reason: string): void => {
      ended = reason
      if (this.#lines === fresh) this.drop(reason)
    }
    try {
      this.#address = await this.#parts.locate()
      // Side by side: on a slow way each greeting takes its time. All are awaited, so that none is left open behind a failure.
      const opened = await Promise.allSettled(Array.from({ length: CONNECTIONS }, () => this.#openLine(onEnd)))
      for (const one of opened) if (one.status === 'fulfilled') fresh.push(one.value)
      for (const one of opened) if (one.status === 'rejected') throw one.reason
      const refusal = this.#isClosed ? 'closed' : (ended ?? this.#parts.refuse((fresh[0] as Line).connection.info))
      if (refusal !== undefined) throw new ForecacheError('FC_L2_DOWN', { address: addressText(this.#address), reason: refusal })
      this.#connecting = false
      this.#lines = fresh
      this.#waitMs = this.#parts.limits.retryMs
      this.#setState(true, 'connected')
    } catch (error) {
      this.#connecting = false
      for (const line of fresh) line.connection.destroy()
      this.#reason = error instanceof Error ? error.message : String(error)
      this.#again()
    }
  }

  /** What greeting took says how long the way is. */
  async #openLine(onEnd: (reason: string) => void): Promise<Line> {
    const { clock, open } = this.#parts
    const askedAt = clock.now()
    const connection = await open(this.#address, onEnd)
    return new Line(connection, clock.now() - askedAt)
  }

  #again(): void {
    if (this.#isClosed || this.#connecting) return
    const { clock, random, limits } = this.#parts
    this.#retry?.cancel()
    this.#retry = clock.after(this.#waitMs * (0.5 + random() / 2), () => void this.#connect())
    this.#waitMs = Math.min(limits.maxRetryMs, this.#waitMs * 2)
  }

  #setState(isUp: boolean, reason: string): void {
    this.#reason = reason
    if (this.#isUp === isUp) return
    this.#isUp = isUp
    this.#parts.onState(isUp, reason)
  }

  #down(): ForecacheError {
    return new ForecacheError('FC_L2_DOWN', { address: addressText(this.#address), reason: this.#reason })
  }
}

/** One connection, and whether it is heard. */
class Line {
  readonly connection: RedisConnection
  /** Calls that wait for a reply. */
  waiting = 0
  /** Since when nothing was heard while something waited, `clock.now()`. */
  quietSince = 0
  /** What a reply has taken lately, ms. */
  wayMs: number

  constructor(connection: RedisConnection, wayMs: number) {
    this.connection = connection
    this.wayMs = wayMs
  }

  /** @returns the last command's reply */
  async send(commands: readonly RedisCommand[], clock: Clock): Promise<RedisReply> {
    const askedAt = clock.now()
    if (this.waiting === 0) this.quietSince = askedAt
    this.waiting += 1
    try {
      const replies = commands.map((command) => this.connection.send(command))
      for (const reply of replies) reply.catch(ignore)
      const last = await (replies.at(-1) as Promise<RedisReply>)
      this.quietSince = clock.now()
      this.wayMs = Math.max(this.quietSince - askedAt, this.wayMs * MEMORY)
      return last
    } catch (error) {
      if (error instanceof ForecacheError && error.code === 'FC_L2_REPLY') this.quietSince = clock.now()
      throw error
    } finally {
      this.waiting -= 1
    }
  }
}

function ignore(): void {}
