/**
 * A Redis or Valkey behind its port: single, Cluster and Sentinel by the URL alone.
 *
 * Floor 2, room tier. The first server that answers is asked what it is. A cluster is routed by slots, its map learned
 * anew when a server says that a slot has moved or when one is lost; Sentinels are asked before each connection, and every
 * second, who the master is. Connections: two a master, from the start; sessions are the caller's own.
 */
import { createHash } from 'node:crypto'
import type { Clock } from '../model/clock.ts'
import { ForecacheError } from '../model/errors.ts'
import type { Random } from '../model/random.ts'
import { addressText, type NodeAddress, type RedisTarget } from './redis-address.ts'
import type { RedisCommand, RedisConnection, RedisReply } from './redis-client.ts'
import { NODE_LIMITS, type NodeLimits, type RedisNode } from './redis-node.ts'
import type { CallOptions, RedisPort, RedisScript, RedisSession, RedisState } from './redis-port.ts'
import { Topology } from './redis-topology.ts'

/** What a port is made with. */
export interface RedisParts {
  readonly target: RedisTarget
  readonly clock: Clock
  readonly random: Random
  readonly limits?: NodeLimits
}

/** Times a call follows a slot that moved. */
const MAX_MOVES = 3
const READY_EVERY_MS = 10

/** A script with its digest. */
export function defineScript(source: string): RedisScript {
  return { source, digest: createHash('sha1').update(source).digest('hex') }
}

/** Connects at once, in the background; see RedisPort. */
export function createRedis(parts: RedisParts): RedisPort {
  return new Redis(parts)
}

class Redis implements RedisPort {
  readonly #clock: Clock
  readonly #topology: Topology
  readonly #listeners = new Set<(state: RedisState) => void>()

  constructor(parts: RedisParts) {
    this.#clock = parts.clock
    this.#topology = new Topology({ ...parts, limits: parts.limits ?? NODE_LIMITS }, (state) => {
      for (const listener of this.#listeners) listener(state)
    })
  }

  get kind(): 'single' | 'cluster' | undefined {
    return this.#topology.kind
  }

  isUp(key?: string | Buffer): boolean {
    return this.#topology.nodeOf(key)?.isUp ?? false
  }

  runId(key?: string | Buffer): string {
    return this.#topology.nodeOf(key)?.info?.runId ?? ''
  }

  async call(command: RedisCommand, { deadlineMs, key, lane = 'ahead' }: CallOptions): Promise<RedisReply> {
    let node = this.#nodeOf(key)
    let commands: readonly RedisCommand[] = [command]
    const endAt = this.#clock.now() + deadlineMs
    for (let moves = 0; ; moves += 1) {
      try {
        return await node.call(commands, Math.max(1, endAt - this.#clock.now()), lane)
      } catch (error) {
        const move = moves < MAX_MOVES ? this.#topology.follow(error, node) : undefined
        if (move === undefined) throw error
        node = move.node
        commands = move.isAsking ? [['ASKING'], command] : [command]
      }
    }
  }

  async run(
    script: RedisScript,
    keys: readonly (string | Buffer)[],
    given: { readonly args: readonly (string | Buffer)[] } & Omit<CallOptions, 'key'>,
  ): Promise<RedisReply> {
    const { args, ...options } = given
    const key = keys[0]
    const how = key === undefined ? options : { ...options, key }
    const rest = [String(keys.length), ...keys, ...args]
    try {
      return await this.call(['EVALSHA', script.digest, ...rest], how)
    } catch (error) {
      if (!isReply(error, 'NOSCRIPT')) throw error
      return this.call(['EVAL', script.source, ...rest], how)
    }
  }

  session(key?: string | Buffer): Promise<RedisSession> {
    return openSession(this.#topology, this.#nodeOf(key).address, this.#clock)
  }

  async ready(deadlineMs: number): Promise<boolean> {
    const endAt = this.#clock.now() + deadlineMs
    while (!this.#topology.isComplete) {
      if (this.#clock.now() >= endAt) return false
      await new Promise<void>((resolve) => void this.#clock.after(READY_EVERY_MS, resolve))
    }
    return true
  }

  onState(listener: (state: RedisState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  list(): readonly { address: string; isUp: boolean; waiting: number }[] {
    return this.#topology.nodes.map(({ address, isUp, waiting }) => ({ address: addressText(address), isUp, waiting }))
  }

  close(): void {
    this.#topology.close()
  }

  #nodeOf(key: string | Buffer | undefined): RedisNode {
    const node = this.#topology.nodeOf(key)
    if (node !== undefined) return node
    throw new ForecacheError('FC_L2_DOWN', { address: this.#topology.text, reason: this.#topology.reason })
  }
}

/** Whether an error is this kind of error reply. */
export function isReply(error: unknown, kind: string): boolean {
  if (!(error instanceof ForecacheError) || error.code !== 'FC_L2_REPLY') return false
  const reason = String(error.detail['reason'])
  return reason === kind || reason.startsWith(`${kind} `)
}

async function openSession(topology: Topology, address: NodeAddress, clock: Clock): Promise<RedisSession> {
  const over = new AbortController()
  const connection = await topology.connect(address, () => over.abort())
  return new Session(connection, clock, over)
}

class Session implements RedisSession {
  readonly #connection: RedisConnection
  readonly #clock: Clock
  readonly #over: AbortController

  constructor(connection: RedisConnection, clock: Clock, over: AbortController) {
    this.#connection = connection
    this.#clock = clock
    this.#over = over
  }

  get ended(): AbortSignal {
    return this.#over.signal
  }

  call(command: RedisCommand, deadlineMs: number): Promise<RedisReply> {
    return new Promise((resolve, reject) => {
      let isOpen = true
      const timer = this.#clock.after(deadlineMs, () => setImmediate(onLate))
      const onLate = (): void => {
        if (!isOpen) return
        reject(new ForecacheError('FC_L2_TIMEOUT', { address: addressText(this.#connection.address), ms: deadlineMs }))
        this.close()
      }
      const settle = (finish: () => void): void => {
        isOpen = false
        timer.cancel()
        finish()
      }
      this.#connection.send(command).then(
        (reply) => settle(() => resolve(reply)),
        (error: unknown) => settle(() => reject(error)),
      )
    })
  }

  subscribe(channel: string, listener: (message: Buffer) => void): Promise<void> {
    return this.#connection.subscribe(channel, listener)
  }

  close(): void {
    this.#connection.destroy()
    this.#over.abort()
  }
}
