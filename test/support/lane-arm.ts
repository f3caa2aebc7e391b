/**
 * One of two gateways under comparison: gateway, origin and a clock that both share and that can be set forward.
 */
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { systemClock, type Clock } from '../../src/model/clock.ts'
import { createGateway } from '../../src/server/gateway.ts'
import type { Config, Gateway, Logger } from '../../src/entry/gateway.ts'
import { parseConfig } from '../../src/server/config.ts'
import { LaneOrigin } from './lane-origin.ts'

/** The system's clock, set forward at will; its timers are the system's. */
export class ForwardClock implements Clock {
  readonly #base = systemClock()
  #shiftMs = 0
  #turns = 0

  now = (): number => this.#base.now() + this.#shiftMs
  coarse = (): number => this.#base.coarse() + this.#shiftMs
  wall = (): number => this.#base.wall() + this.#shiftMs
  after = (ms: number, run: () => void): ReturnType<Clock['after']> => this.#base.after(ms, run)

  get tick(): number {
    return this.#base.tick + this.#turns
  }

  forward(ms: number): void {
    this.#shiftMs += ms
    this.#turns += 1
  }
}

/** See the module's header. */
export interface Arm {
  readonly name: string
  readonly gateway: Gateway
  readonly origin: LaneOrigin
  readonly port: number
  readonly apiPort: number
  /** What it logged as an error. */
  readonly errors: string[]
  /** Takes these sections instead of its own. */
  reload(values: Values): Promise<unknown>
  close(): Promise<void>
}

type Values = Readonly<Record<string, unknown>>

/** @param values the configuration without origin and addresses */
export async function startArm(name: string, clock: Clock, values: Values): Promise<Arm> {
  const origin = new LaneOrigin()
  const errors: string[] = []
  const quiet = (): void => {}
  const logger: Logger = { debug: quiet, info: quiet, warn: quiet, error: (detail) => void errors.push(textOf(detail)) }
  const url = await origin.listen()
  const configOf = ({ api, origin: onOrigin, ...more }: Values): Config =>
    parseConfig({
      values: {
        ...more,
        origin: { ...(onOrigin as object), url },
        listen: '127.0.0.1:0',
        api: { ...(api as object), listen: '127.0.0.1:0' },
      },
    })
  const gateway = createGateway(configOf(values), logger, clock)
  const { listen, api } = await gateway.listen()
  return {
    name,
    gateway,
    origin,
    errors,
    port: listen.port,
    apiPort: api.port,
    reload: (more) => gateway.reload(configOf({ ...values, ...more })),
    async close() {
      await gateway.close(0)
      await origin.close()
    },
  }
}

function textOf(detail: object): string {
  return JSON.stringify(detail, (_, value: unknown) => (value instanceof Error ? (value.stack ?? value.message) : value))
}

/** A connection that keeps every byte it gets. */
export class Wire {
  readonly socket: Socket
  /** Settles when bytes may be sent at once, or never any more. */
  readonly ready: Promise<unknown>
  /** Grows with whatever happens here. */
  activity = 0
  ended = false
  reset = false
  closed = false
  #parts: Buffer[] = []

  /** @param secure speaks TLS, and HTTP/1.1 within */
  constructor(port: number, secure = false) {
    const to = { port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true }
    this.socket = secure ? connectTls({ ...to, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }) : connect(to)
    this.ready = new Promise((resolve) => {
      this.socket.once(secure ? 'secureConnect' : 'connect', resolve).once('close', resolve)
    })
    const seen = (change: () => void) => (): void => {
      this.activity += 1
      change()
    }
    this.socket
      .on(
        'connect',
        seen(() => {}),
      )
      .on('data', (data: Buffer) => seen(() => this.#parts.push(data))())
      .on(
        'end',
        seen(() => (this.ended = true)),
      )
      .on(
        'error',
        seen(() => (this.reset = true)),
      )
      .on(
        'close',
        seen(() => (this.closed = true)),
      )
  }

  /** Bytes as latin1. */
  send(bytes: string): void {
    if (!this.socket.destroyed && this.socket.writable) this.socket.write(Buffer.from(bytes, 'latin1'))
  }

  /** How much came. */
  get bytes(): number {
    return this.#parts.reduce((sum, part) => sum + part.byteLength, 0)
  }

  /** All that came, as latin1. */
  get text(): string {
    return Buffer.concat(this.#parts).toString('latin1')
  }

  get isOver(): boolean {
    return this.ended || this.closed
  }
}

/** Some turns of the event loop. */
export async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) await new Promise((resolve) => setImmediate(resolve))
}

/** How long nothing must happen for it to be the end: turns of the event loop, and ms besides. */
export interface Calm {
  readonly turns: number
  readonly ms: number
}

/** Waits until nothing has happened for so long. */
export async function settled(activity: () => number, calm: Calm): Promise<void> {
  let last = activity()
  let since = performance.now()
  for (let turn = 0; turn < calm.turns || performance.now() - since < calm.ms; turn += 1) {
    await turns(1)
    const now = activity()
    if (now === last) continue
    last = now
    since = performance.now()
    turn = 0
  }
}
