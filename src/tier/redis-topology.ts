/**
 * Who has which key: one server, the masters of a cluster by slot, or the master that Sentinels name.
 *
 * Floor 2, room tier. Learned from whoever of the URL answers, in the background and again and again until one does. A
 * cluster's map is learned anew on MOVED and when a server is lost, at most every `LEARN_EVERY_MS`; between, the old map
 * stands and calls to a lost server are refused at once.
 */
import type { Clock, Timer } from '../model/clock.ts'
import { ForecacheError } from '../model/errors.ts'
import type { Random } from '../model/random.ts'
import { addressText, type NodeAddress, type RedisTarget } from './redis-address.ts'
import { connectRedis, type RedisConnection, type RedisLogin, type ServerInfo } from './redis-client.ts'
import { type NodeLimits, RedisNode } from './redis-node.ts'
import type { RedisState } from './redis-port.ts'
import { Sentinels } from './redis-sentinel.ts'
import { parseSlots, type SlotRange, slotOf, SLOTS } from './redis-slots.ts'

export interface TopologyParts {
  readonly target: RedisTarget
  readonly clock: Clock
  readonly random: Random
  readonly limits: NodeLimits
}

const LEARN_EVERY_MS = 200
const WATCH_EVERY_MS = 1000

/** See the module's header. */
export class Topology {
  readonly #parts: TopologyParts
  readonly #tell: (state: RedisState) => void
  readonly #nodes = new Map<string, RedisNode>()
  #slots: readonly (RedisNode | undefined)[] = []
  #single: RedisNode | undefined
  #sentinels: Sentinels | undefined
  #isClosed = false
  #isLearning = false
  #timer: Timer | undefined
  reason = 'not connected yet'

  constructor(parts: TopologyParts, tell: (state: RedisState) => void) {
    this.#parts = parts
    this.#tell = tell
    void this.#begin()
  }

  get kind(): 'single' | 'cluster' | undefined {
    if (this.#single !== undefined) return 'single'
    return this.#slots.length > 0 ? 'cluster' : undefined
  }

  get nodes(): readonly RedisNode[] {
    return this.#single === undefined ? [...this.#nodes.values()] : [this.#single]
  }

  /** Whether every server that has slots is up. */
  get isComplete(): boolean {
    return this.kind !== undefined && this.nodes.every((node) => node.isUp)
  }

  /** The URL's servers as people write them. */
  get text(): string {
    return this.#parts.target.nodes.map(addressText).join(',')
  }

  nodeOf(key: string | Buffer | undefined): RedisNode | undefined {
    if (this.#single !== undefined) return this.#single
    if (key !== undefined) return this.#slots[slotOf(key)]
    return this.nodes.find((node) => node.isUp) ?? this.nodes[0]
  }

  /** Where a call goes that was refused because its slot is elsewhere, or its server no master any more. */
  follow(error: unknown, from: RedisNode): { readonly node: RedisNode; readonly isAsking: boolean } | undefined {
    if (!(error instanceof ForecacheError) || error.code !== 'FC_L2_REPLY') return undefined
    const [kind, slot, place] = String(error.detail['reason']).split(' ')
    if (kind === 'READONLY' || kind === 'MASTERDOWN') {
      if (this.#single === from) from.drop('the server is a replica')
      else this.#learnSoon()
      return undefined
    }
    if ((kind !== 'MOVED' && kind !== 'ASK') || place === undefined || this.#single !== undefined) return undefined
    const colon = place.lastIndexOf(':')
    const address = { host: place.slice(0, colon) || from.address.host, port: Number(place.slice(colon + 1)) }
    const node = this.#nodes.get(addressText(address))
    if (kind === 'ASK') return node === undefined ? undefined : { node, isAsking: true }
    this.#learnSoon()
    if (node === undefined) return undefined
    const at = Number(slot)
    this.#slots = this.#slots.with(at, node)
    return { node, isAsking: false }
  }

  connect(address: NodeAddress, onEnd: (reason: string) => void): Promise<RedisConnection> {
    return connectRedis(address, this.#parts.target, { deadlineMs: this.#parts.limits.connectMs, onEnd })
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
    this.#sentinels?.close()
    for (const node of this.nodes) node.close()
  }

  /** Asks whoever answers what stands there. */
  async #begin(): Promise<void> {
    for (const address of this.#parts.target.nodes) {
      if (this.#isClosed) return
      try {
        const mode = await this.#askMode(address)
        if (this.#isClosed) return
        if (mode === 'cluster') await this.#learn(address)
        else if (mode === 'sentinel') this.#watchMaster()
        else this.#single = this.#createNode(() => address, address)
        if (this.kind !== undefined) return
      } catch (error) {
        this.reason = error instanceof Error ? error.message : String(error)
      }
    }
    this.#timer = this.#parts.clock.after(LEARN_EVERY_MS, () => void this.#begin())
  }

  async #askMode(address: NodeAddress): Promise<ServerInfo['mode']> {
    const { target, limits } = this.#parts
    const how = { deadlineMs: limits.connectMs, onEnd: () => undefined }
    try {
      const connection = await connectRedis(address, target, how)
      connection.destroy()
      return connection.info.mode
    } catch (error) {
      if (target.password === undefined) throw error
      // Sentinels often know no password; a server that holds data is not used this way.
      const connection = await connectRedis(address, withoutLogin(target), how)
      connection.destroy()
      if (connection.info.mode !== 'sentinel') throw error
      return 'sentinel'
    }
  }

  #watchMaster(): void {
    const { target, limits, clock } = this.#parts
    const sentinels = new Sentinels({ target, connectMs: limits.connectMs, clock })
    this.#sentinels = sentinels
    const node = this.#createNode(() => sentinels.master(), target.nodes[0] as NodeAddress)
    this.#single = node
    const watch = (): void => {
      this.#timer = clock.after(WATCH_EVERY_MS, async () => {
        const master = await sentinels.master().catch(() => undefined)
        if (this.#isClosed) return
        if (node.isUp && master !== undefined && addressText(master) !== addressText(node.address)) {
          node.drop(`the master is now ${addressText(master)}`)
        }
        watch()
      })
    }
    watch()
  }

  #learnSoon(): void {
    if (this.#isClosed || this.#isLearning || this.#single !== undefined) return
    this.#isLearning = true
    this.#timer = this.#parts.clock.after(LEARN_EVERY_MS, async () => {
      const known = [...this.#nodes.values()].toSorted((a, b) => Number(b.isUp) - Number(a.isUp)).map((node) => node.address)
      for (const address of [...known, ...this.#parts.target.nodes]) {
        if (this.#isClosed || (await this.#learn(address).then(isDone, isNotDone))) break
      }
      this.#isLearning = false
      // A server is still missing: its slots may be another's soon.
      if (!this.isComplete) this.#learnSoon()
    })
  }

  /** Learns the map of slots from one server. */
  async #learn(asked: NodeAddress): Promise<void> {
    const known = this.#nodes.get(addressText(asked))
    const reply = known?.isUp
      ? await known.call([['CLUSTER', 'SLOTS']], this.#parts.limits.connectMs, 'behind')
      : await this.#askOnce(asked)
    const ranges = parseSlots(reply, asked)
    if (ranges.length === 0)
      throw new ForecacheError('FC_L2_DOWN', { address: addressText(asked), reason: 'the cluster has no slots' })
    if (!this.#isClosed) this.#place(ranges)
  }

  async #askOnce(address: NodeAddress): Promise<unknown> {
    const connection = await this.connect(address, () => undefined)
    try {
      // Greeted within a deadline just now; ended by the same one.
      const late = this.#parts.clock.after(this.#parts.limits.connectMs, () => connection.destroy())
      return await connection.send(['CLUSTER', 'SLOTS']).finally(() => late.cancel())
    } finally {
      connection.destroy()
    }
  }

  #place(ranges: readonly SlotRange[]): void {
    const slots: (RedisNode | undefined)[] = Array.from({ length: SLOTS })
    const masters = new Set(ranges.map(({ master }) => addressText(master)))
    for (const { first, last, master } of ranges) {
      const name = addressText(master)
      const node = this.#nodes.get(name) ?? this.#createNode(() => master, master)
      this.#nodes.set(name, node)
      slots.fill(node, first, last + 1)
    }
    for (const [name, node] of this.#nodes) {
      if (masters.has(name)) continue
      this.#nodes.delete(name)
      node.close()
    }
    this.#slots = slots
  }

  #createNode(locate: () => NodeAddress | Promise<NodeAddress>, address: NodeAddress): RedisNode {
    const node: RedisNode = new RedisNode(
      {
        ...this.#parts,
        locate,
        open: (at, onEnd) => this.connect(at, onEnd),
        // A replica takes no writes, and what it answers may be older than what was acknowledged.
        refuse: (info) => (info.role === 'slave' ? 'the server is a replica' : undefined),
        onState: (isUp, reason) => {
          this.#tell({ address: addressText(node.address), isUp, reason })
          if (!isUp) this.#learnSoon()
        },
      },
      address,
    )
    return node
  }
}

function withoutLogin(target: RedisTarget): RedisLogin {
  return { ...target, username: undefined, password: undefined, database: 0 }
}

function isDone(): boolean {
  return true
}

function isNotDone(): boolean {
  return false
}
