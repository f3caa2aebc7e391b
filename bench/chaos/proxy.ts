/**
 * A TCP proxy that does what networks do: holds bytes back, delays them, loses one direction, cuts, refuses.
 *
 * Connections are told apart by what the client says on them: one on which a blocking read was asked for carries the bus, all
 * others the store. A fault holds for connections that are made while it lasts, too.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'

/** Which connections a fault is about. */
export type Lane = 'bus' | 'store' | 'all'
/** Which way: from the instance to the store, back, or both. */
export type Way = 'there' | 'back' | 'both'

/** A fault of the network. */
export interface Weather {
  readonly lane: Lane
  readonly way: Way
  /** Bytes wait for so long; Infinity: for as long as the fault lasts, while the connection stands. */
  readonly delayMs: () => number
}

const TURN_MS = 5

interface Pipe {
  readonly client: Socket
  readonly server: Socket
  lane: 'bus' | 'store'
}

/** See the module's header. */
export class Proxy {
  readonly #server: Server
  readonly #pipes = new Set<Pipe>()
  readonly #weather = new Set<Weather>()
  readonly #target: { readonly host: string; readonly port: number }
  #refuses = false

  constructor(target: { readonly host: string; readonly port: number }) {
    this.#target = target
    this.#server = createServer({ noDelay: true }, (client) => this.#accept(client))
  }

  /** @returns the port it listens on */
  async listen(host = '127.0.0.1'): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, host, resolve))
    const address = this.#server.address()
    return typeof address === 'object' && address !== null ? address.port : 0
  }

  /** Begins a fault. @returns what ends it: bytes that were held arrive then, in their order */
  begin(weather: Weather): () => void {
    this.#weather.add(weather)
    return () => void this.#weather.delete(weather)
  }

  /** Bytes that are on their way are lost, and the client learns of it. */
  cut(lane: Lane): void {
    for (const pipe of [...this.#pipes]) {
      if (lane !== 'all' && pipe.lane !== lane) continue
      pipe.client.resetAndDestroy()
      pipe.server.destroy()
    }
  }

  /** New connections are reset from now on. @returns what ends it */
  refuse(): () => void {
    this.#refuses = true
    return () => (this.#refuses = false)
  }

  close(): void {
    this.#server.close()
    this.cut('all')
  }

  #accept(client: Socket): void {
    if (this.#refuses) return void client.resetAndDestroy()
    const server = connect({ ...this.#target, noDelay: true })
    const pipe: Pipe = { client, server, lane: 'store' }
    this.#pipes.add(pipe)
    this.#carry(pipe, 'there')
    this.#carry(pipe, 'back')
    for (const socket of [client, server]) socket.on('error', () => {})
    client.on('close', () => this.#end(pipe, server))
    server.on('close', () => this.#end(pipe, client))
  }

  #end(pipe: Pipe, other: Socket): void {
    this.#pipes.delete(pipe)
    other.destroy()
  }

  #carry(pipe: Pipe, way: 'there' | 'back'): void {
    const [from, to] = way === 'there' ? [pipe.client, pipe.server] : [pipe.server, pipe.client]
    const held: { readonly data: Buffer; readonly at: number }[] = []
    let timer: NodeJS.Timeout | undefined
    const release = (): void => {
      timer = undefined
      while (held.length > 0 && !to.destroyed) {
        const { data, at } = held[0] as { data: Buffer; at: number }
        const waitMs = performance.now() - at < this.#delayOf(pipe, way) ? TURN_MS : 0
        if (waitMs > 0) return void (timer = setTimeout(release, waitMs))
        held.shift()
        to.write(data)
      }
    }
    from.on('data', (data: Buffer) => {
      if (way === 'there' && pipe.lane === 'store' && data.includes('XREAD')) pipe.lane = 'bus'
      held.push({ data, at: performance.now() })
      if (timer === undefined) release()
    })
    from.on('close', () => clearTimeout(timer))
  }

  #delayOf(pipe: Pipe, way: 'there' | 'back'): number {
    let most = 0
    for (const weather of this.#weather) {
      if (weather.lane !== 'all' && weather.lane !== pipe.lane) continue
      if (weather.way === 'both' || weather.way === way) most = Math.max(most, weather.delayMs())
    }
    return most
  }
}
