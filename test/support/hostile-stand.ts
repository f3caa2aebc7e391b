/**
 * One gateway process between a raw origin and raw clients, shared by the tests of a file; every test has paths of its own.
 */
import { afterAll, beforeAll, expect } from 'vitest'
import { type GatewayProcess, startGateway } from './gateway-process.ts'
import { type Answer, ask, RawClient } from './raw-client.ts'
import type { FieldLine } from './raw-message.ts'
import { RawOrigin, type Received, type Script } from './raw-origin.ts'

/** See the module's header. */
export class Stand {
  readonly origin = new RawOrigin()
  gateway!: GatewayProcess
  #paths = 0

  /** A new path; its requests get these scripts one after another, the last one for good. */
  serve(...scripts: readonly Script[]): string {
    this.#paths += 1
    const path = `/p${this.#paths}`
    this.origin.on(path, ...scripts)
    return path
  }

  get(target: string, lines: readonly FieldLine[] = []): Promise<Answer> {
    return ask(this.gateway.port, `GET ${target}`, lines)
  }

  ask(start: string, lines: readonly FieldLine[] = [], body?: string): Promise<Answer> {
    return ask(this.gateway.port, start, lines, body)
  }

  /** A new connection to the gateway. */
  open(): RawClient {
    return new RawClient(this.gateway.port)
  }

  /** Sends bytes as they are; the answers until the gateway closes. */
  async send(bytes: string): Promise<Answer> {
    const client = this.open().write(bytes)
    try {
      return await client.answer()
    } finally {
      client.destroy()
    }
  }

  seen(path: string): readonly Received[] {
    return this.origin.seen(path)
  }

  /** How often the origin was asked for a path. */
  hits(path: string): number {
    return this.origin.seen(path).length
  }
}

/** Starts the stand for this file, and ends it: nothing may have reached the origin that no test sent there. */
export function createStand(...args: readonly string[]): Stand {
  const stand = new Stand()
  beforeAll(async () => {
    stand.gateway = await startGateway(await stand.origin.listen(), args)
  })
  afterAll(async () => {
    await stand.gateway?.stop()
    await stand.origin.close()
    expect(stand.origin.faults).toEqual([])
    expect(stand.gateway?.errors()).toEqual([])
  })
  return stand
}
