/**
 * One client of a door that runs commands itself: frames them, runs them in order, gathers their replies.
 *
 * Floor 4, room resp. No socket and no timer of its own. While a command waits, or the client takes nothing, nothing
 * further of him is run, and soon nothing is read.
 */
import type { RequestLimits } from '../wire/resp-limits.ts'
import { BROKEN, REQUEST, RequestScanner } from '../wire/resp-request.ts'
import { lengthOf } from './session-gather.ts'
import { type ExecutorSession, OUTCOME, type ReplySink } from './executor.ts'
import type { Gather } from './session-gather.ts'

/** What a session asks of its connection. */
export interface SessionPort {
  /** Stops and starts reading. */
  hold(isHeld: boolean): void
  /** Closes when what was written has left. */
  end(): void
}

/** What it works with. */
export interface SessionParts {
  readonly executor: ExecutorSession
  readonly out: Gather
  readonly port: SessionPort
  readonly limits: RequestLimits
  /** Nobody has to log in. */
  readonly isTrusted: boolean
  /** `clock.now()`. */
  readonly now: () => number
}

/** See the module's header. */
export class CommandSession {
  readonly #parts: SessionParts
  readonly #scanner: RequestScanner
  readonly #sink: ReplySink
  #waiting: Buffer[] = []
  #isParked = false
  /** The connection's own reasons: replies that are not taken, passwords that are guessed. */
  #isHeld = false
  #isOver = false
  #isRunning = false

  constructor(parts: SessionParts) {
    const { out } = parts
    this.#parts = parts
    this.#scanner = new RequestScanner(parts.limits, parts.isTrusted)
    this.#sink = {
      put: (bytes, start = 0, end = bytes.length) => out.putCopy(bytes as Buffer, start, end),
      text: (line) => out.text(line),
    }
  }

  /** Bytes kept of a request that is not whole, and of those that are not yet run. */
  get heldBytes(): number {
    return lengthOf(this.#waiting, this.#scanner.keptBytes)
  }

  /** A command waits, or its bytes are here and not yet run. */
  get isBusy(): boolean {
    return this.#isParked || this.#waiting.length > 0
  }

  /** He has logged in: larger requests are read from now on. */
  trust(): void {
    this.#scanner.isTrusted = true
  }

  /** Requests. @param now `clock.now()` */
  fromClient(chunk: Buffer, now: number): void {
    if (this.#isOver) return
    if (this.#isParked || this.#isHeld || this.#isRunning) {
      this.#waiting.push(chunk)
      if (this.#waiting.length === 2) this.#parts.port.hold(true)
      return
    }
    this.#scanner.push(chunk)
    this.#run(now)
  }

  /** The command that waited has been answered. */
  resume(): void {
    this.#isParked = false
    if (!this.#isRunning) this.#run(this.#parts.now())
  }

  /** Nothing is run before it is let go again. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld
    if (!isHeld && !this.#isRunning) this.#run(this.#parts.now())
  }

  close(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#parts.executor.close()
  }

  #run(now: number): void {
    const { out, executor, port } = this.#parts
    const scanner = this.#scanner
    this.#isRunning = true
    while (!this.#isParked && !this.#isHeld && !this.#isOver) {
      const step = scanner.next()
      if (step === REQUEST) {
        const outcome = executor.run(scanner, this.#sink, now)
        if (outcome === OUTCOME.parked) this.#isParked = true
        else if (outcome === OUTCOME.close) this.#leave()
      } else if (step === BROKEN) {
        out.text(scanner.faultText)
        this.#leave()
      } else if (this.#waiting.length > 0) scanner.push(this.#waiting.shift() as Buffer)
      else break
    }
    this.#isRunning = false
    out.flush()
    if (this.#isOver) port.end()
    else if (this.#waiting.length === 0 && !this.#isHeld) port.hold(false)
  }

  #leave(): void {
    this.#isOver = true
    this.#parts.executor.close()
  }
}
