/**
 * Sentinels, asked who the master is.
 *
 * Floor 2, room tier. One connection to whichever of them answers, kept; each question has a deadline, and the next
 * Sentinel is asked when one does not answer.
 */
import type { Clock } from '../model/clock.ts'
import { ForecacheError } from '../model/errors.ts'
import { addressText, type NodeAddress, type RedisTarget } from './redis-address.ts'
import { connectRedis, type RedisConnection, type RedisReply } from './redis-client.ts'

export interface SentinelParts {
  readonly target: RedisTarget
  readonly connectMs: number
  readonly clock: Clock
}

/** See the module's header. */
export class Sentinels {
  readonly #parts: SentinelParts
  #connection: RedisConnection | undefined
  #asking: Promise<NodeAddress> | undefined
  #isClosed = false

  constructor(parts: SentinelParts) {
    this.#parts = parts
  }

  /** The master's place now. @throws (rejects) FC_L2_DOWN, FC_OPTION_VALUE */
  master(): Promise<NodeAddress> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  close(): void {
    this.#isClosed = true
    this.#connection?.destroy()
    this.#connection = undefined
  }

  async #ask(): Promise<NodeAddress> {
    const { nodes } = this.#parts.target
    let last: unknown
    const first = this.#connection?.address
    for (const address of first === undefined ? nodes : [first, ...nodes]) {
      if (this.#isClosed) break
      try {
        this.#connection ??= await this.#connect(address)
        return await this.#askOf(this.#connection)
      } catch (error) {
        last = error
        this.#connection?.destroy()
        this.#connection = undefined
      }
    }
    if (last instanceof ForecacheError) throw last
    throw new ForecacheError('FC_L2_DOWN', { address: nodes.map(addressText).join(','), reason: 'no Sentinel answers' })
  }

  async #connect(address: NodeAddress): Promise<RedisConnection> {
    const { target, connectMs } = this.#parts
    const connection: RedisConnection = await connectRedis(
      address,
      { ...target, username: undefined, password: undefined, database: 0 },
      {
        deadlineMs: connectMs,
        onEnd: () => {
          if (this.#connection === connection) this.#connection = undefined
        },
      },
    )
    return connection
  }

  async #askOf(connection: RedisConnection): Promise<NodeAddress> {
    const { target, connectMs, clock } = this.#parts
    const late = clock.after(connectMs, () => connection.destroy())
    try {
      const name = target.master ?? onlyMaster(await connection.send(['SENTINEL', 'MASTERS']))
      const reply = await connection.send(['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', name])
      if (!Array.isArray(reply) || reply.length !== 2) {
        throw new ForecacheError('FC_OPTION_VALUE', { name: 'l2.url', reason: `the Sentinels know no master ${name}` })
      }
      return { host: String(reply[0]), port: Number(reply[1]) }
    } finally {
      late.cancel()
    }
  }
}

/** @returns the name of the one master that is watched */
function onlyMaster(reply: RedisReply): string {
  const names = (Array.isArray(reply) ? reply : []).map((row: unknown) => {
    const fields = Array.isArray(row) ? row.map(String) : []
    return fields[fields.indexOf('name') + 1] ?? ''
  })
  if (names.length === 1) return names[0] as string
  throw new ForecacheError('FC_OPTION_VALUE', {
    name: 'l2.url',
    reason: `the Sentinels watch ${names.length} masters (${names.join(', ')}); name one with ?master=`,
  })
}
