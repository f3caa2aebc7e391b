/**
 * A conversation with a gateway, and what comes of it: steps on one connection, others beside it, time and invalidations.
 *
 * A conversation runs in the event loop that the gateway and its origin live in too: nothing happens for a number of turns
 * means that nothing will happen, so no step waits for a clock.
 */
import type { InvalidateInput } from '../../src/flow/invalidate.ts'
import { ACCOUNT } from '../../src/model/ledger.ts'
import { type Arm, type Calm, settled, turns, Wire, type ForwardClock } from './lane-arm.ts'

/** One step. Bytes are latin1; `uuuuuuu` in them stands for the conversation's own path part. */
export type Step =
  /** Pieces sent with turns of the event loop between them. */
  | { readonly kind: 'send'; readonly pieces: readonly string[] }
  /** Waits until all is answered that will be. */
  | { readonly kind: 'await' }
  /** One request on a connection of its own, awaited. */
  | { readonly kind: 'aside'; readonly bytes: string }
  | { readonly kind: 'forward'; readonly ms: number }
  | { readonly kind: 'invalidate'; readonly input: InvalidateInput }
  /** The client says that nothing more will come. */
  | { readonly kind: 'finish' }

/** What came of a conversation, as it was. */
export interface Outcome {
  readonly text: string
  readonly asides: readonly string[]
  /** `kept`: a last request was answered; `held`: it was not, and the connection stayed; else how it ended before. */
  readonly fate: 'kept' | 'held' | 'closed' | 'reset'
  /** How it ended once the client had finished. */
  readonly end: 'closed' | 'reset' | 'open'
  /** The client had bytes under way when the connection ended: whether it was reset is the kernel's business. */
  readonly cut: boolean
  readonly seen: readonly string[]
  readonly counts: Readonly<Record<string, number>>
}

/** The gateway's port. */
export const GATEWAY: Door = {
  port: 'port',
  last: 'GET /uuuuuuu/p-last HTTP/1.1\r\nHost: a.test\r\nUser-Agent: last\r\n\r\n',
  mark: 'p-last #',
}
const END_MS = 4000

/** What conversations are run on: gateways side by side, on a clock that is theirs together. */
export interface Stage {
  readonly arms: readonly Arm[]
  readonly clock: ForwardClock
  readonly calm: Calm
  /** Default: the gateway's. */
  readonly door?: Door
}

/** Which port is spoken to, and the request by which a connection shows that it still serves. */
export interface Door {
  readonly port: 'port' | 'apiPort'
  readonly last: string
  /** Part of its answer. */
  readonly mark: string
  /** The port speaks TLS. */
  readonly secure?: boolean
}

/** Runs a conversation on every arm of a stage. */
export async function converse({ arms, clock, calm, door = GATEWAY }: Stage, steps: readonly Step[]): Promise<Outcome[]> {
  const name = nextName()
  const talks = arms.map((arm) => new Talk(arm, { name, calm, door }))
  for (const step of steps) {
    if (step.kind === 'forward') clock.forward(step.ms)
    else await Promise.all(talks.map((talk) => talk.take(step)))
  }
  return Promise.all(talks.map((talk) => talk.end()))
}

let names = 0
function nextName(): string {
  names += 1
  return `u${String(names).padStart(6, '0')}`
}

class Talk {
  readonly #arm: Arm
  readonly #name: string
  readonly #calm: Calm
  readonly #door: Door
  readonly #seenBefore: number
  readonly #countsBefore: Record<string, number>
  readonly #asides: string[] = []
  #wire: Wire | undefined
  #cut = false

  constructor(arm: Arm, { name, calm, door }: { readonly name: string; readonly calm: Calm; readonly door: Door }) {
    this.#arm = arm
    this.#name = name
    this.#calm = calm
    this.#door = door
    this.#seenBefore = arm.origin.seen.length
    this.#countsBefore = countsOf(arm)
  }

  async take(step: Exclude<Step, { kind: 'forward' }>): Promise<void> {
    switch (step.kind) {
      case 'send':
        await this.#main.ready
        return this.#send(step.pieces)
      case 'await':
        return this.#settle(this.#main)
      case 'aside':
        return this.#aside(step.bytes)
      case 'invalidate':
        this.#arm.gateway.cache.engine.invalidate(JSON.parse(this.#own(JSON.stringify(step.input))) as InvalidateInput)
        return
      case 'finish':
        this.#main.socket.end()
        return
      default:
        step satisfies never
    }
  }

  async end(): Promise<Outcome> {
    const wire = this.#main
    await wire.ready
    await this.#settle(wire)
    let fate: Outcome['fate'] = wire.reset ? 'reset' : 'closed'
    if (!wire.isOver) {
      const before = wire.text.length
      wire.send(this.#own(this.#door.last))
      await this.#settle(wire)
      fate = wire.text.slice(before).includes(this.#door.mark) ? 'kept' : wire.isOver ? 'closed' : 'held'
    }
    wire.socket.end()
    const deadline = Date.now() + END_MS
    while (!wire.isOver && Date.now() < deadline) await turns(1)
    const end = !wire.isOver ? 'open' : wire.reset ? 'reset' : 'closed'
    wire.socket.destroy()
    await settled(() => this.#arm.origin.activity, { turns: 8, ms: 0 })
    return {
      text: wire.text,
      asides: this.#asides,
      fate,
      end,
      cut: this.#cut,
      seen: this.#arm.origin.seen.slice(this.#seenBefore).sort(),
      counts: difference(this.#countsBefore, countsOf(this.#arm)),
    }
  }

  get #main(): Wire {
    this.#wire ??= new Wire(this.#arm[this.#door.port], this.#door.secure)
    return this.#wire
  }

  async #send(pieces: readonly string[]): Promise<void> {
    let between = false
    for (const piece of pieces) {
      if (between) await turns(3)
      between = true
      if (this.#main.isOver) this.#cut = true
      else this.#main.send(this.#own(piece))
    }
  }

  async #aside(bytes: string): Promise<void> {
    const wire = new Wire(this.#arm[this.#door.port], this.#door.secure)
    await wire.ready
    wire.send(this.#own(bytes))
    await this.#settle(wire)
    this.#asides.push(wire.text)
    wire.socket.destroy()
  }

  /** Until nothing happens any more, and nothing is being compressed. */
  async #settle(wire: Wire): Promise<void> {
    const { ledger } = this.#arm.gateway.cache.engine
    const deadline = Date.now() + END_MS
    do {
      await settled(() => wire.activity + this.#arm.origin.activity, this.#calm)
    } while ((ledger.of(ACCOUNT.coding) > 0 || (!wire.isOver && isInBody(wire.text))) && Date.now() < deadline)
  }

  #own(text: string): string {
    return text.replaceAll('uuuuuuu', this.#name)
  }
}

/** Whether the last answer has begun its content and not ended it: the kernel lets large ones wait. */
function isInBody(text: string): boolean {
  const head = text.lastIndexOf('HTTP/1.1 ')
  const end = text.indexOf('\r\n\r\n', head)
  const length = head < 0 || end < 0 ? null : /\r\ncontent-length: (\d+)\r\n/i.exec(text.slice(head, end + 2))
  const got = text.length - end - 4
  return length !== null && got > 0 && got < Number(length[1])
}

/** Counters of the meter, and how often each histogram was fed. */
function countsOf({ gateway }: Arm): Record<string, number> {
  const { meter } = gateway.cache.engine
  const counts: Record<string, number> = {}
  for (const route of meter.routes) {
    for (const [name, value] of Object.entries(meter.totals(meter.route(route)))) counts[`${name}{${route}}`] = value
  }
  for (const name of ['hit', 'request', 'staleness'] as const) {
    for (const { cached, stale, route, histogram } of meter.histograms(name)) {
      counts[`${name}{${route},${cached},${stale}}`] = histogram.count
    }
  }
  return counts
}

function difference(before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>): Record<string, number> {
  const changed: Record<string, number> = {}
  for (const [name, value] of Object.entries(after)) {
    const by = value - (before[name] ?? 0)
    if (by !== 0) changed[name] = by
  }
  return changed
}
