/**
 * What a scenario runs on: real stores, a proxy before them for each instance, an origin, and the instances.
 *
 * One stand serves all seeds of a scenario, each with keys of its own.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRandom } from '../../src/model/random.ts'
import {
  type RedisHere,
  type RedisSet,
  type SentinelSet,
  startCluster,
  startRedis,
  startSentinel,
} from '../../test/support/redis-here.ts'
import { type NatsHere, startNats } from '../../test/support/nats-here.ts'
import { type Door, Instance } from './instance.ts'
import { Namespace } from './namespace.ts'
import { Origin } from './origin.ts'
import { Proxy } from './proxy.ts'

/** How a stand is built. */
export interface Build {
  readonly store: 'single' | 'sentinel' | 'cluster'
  /** Where the log stands: in the store, or in a NATS beside it. */
  readonly bus: 'store' | 'nats'
  readonly redisArgs: readonly string[]
  readonly redisEnv: () => Readonly<Record<string, string>>
  readonly door: Door
  readonly instances: number
  readonly blind: 'budget' | 'miss' | 'fail'
  readonly blindAfterMs: number
  readonly budgetMs: number
  readonly maxRecords: number
  /** More options of `l2`. */
  readonly l2: object
  /** Share of the reads that bear a token. */
  readonly tokenShare: number
  /** Longest time that a read may take, ms. */
  readonly readMs: number
  /** Longest wait of a scenario for what must happen, ms. */
  readonly patienceMs: number
  /** The first instance has a network of its own. */
  readonly isApart: boolean
  /** Environment of the instances, by index. */
  readonly env: (index: number, folder: string) => Readonly<Record<string, string>>
  /** Checkout whose code runs. */
  readonly root: string
}

const L2_DEADLINE_MS = 80
const LOOPBACK = '127.0.0.1'

/** See the module's header. */
export class Stand {
  readonly build: Build
  readonly folder = mkdtempSync(join(tmpdir(), 'forecache-chaos-'))
  readonly origin = new Origin(createRandom(1))
  readonly instances: Instance[] = []
  readonly proxies: Proxy[] = []
  readonly #others: Proxy[] = []
  #set: RedisSet | undefined
  #single: RedisHere | undefined
  #nats: NatsHere | undefined
  #originUrl = ''
  #namespace: Namespace | undefined

  constructor(build: Build) {
    this.build = build
  }

  /** The only store, or the first. */
  get redis(): RedisHere {
    return this.servers[0] as RedisHere
  }

  get servers(): readonly RedisHere[] {
    return this.#set?.servers ?? (this.#single === undefined ? [] : [this.#single])
  }

  /** Those that live now: instances by their names; what all of them need, with the clients here, by an empty one. */
  get processes(): readonly { readonly name: string; readonly pid: number }[] {
    const all = [...this.servers, ...(this.#nats === undefined ? [] : [this.#nats])]
    return [
      ...this.instances.map(({ name, pid }) => ({ name, pid })),
      ...all.map(({ pid }) => ({ name: '', pid })),
      { name: '', pid: process.pid },
    ]
  }

  /** @throws where there are no Sentinels */
  get sentinels(): SentinelSet {
    return this.#set as SentinelSet
  }

  /** @throws where the log stands in the store */
  get nats(): NatsHere {
    return this.#nats as NatsHere
  }

  /** @throws where no instance has a network of its own */
  get namespace(): Namespace {
    return this.#namespace as Namespace
  }

  async start(): Promise<void> {
    const { store, bus, redisArgs, redisEnv, instances, budgetMs, isApart } = this.build
    if (isApart) this.#namespace = new Namespace()
    this.origin.cacheControl = `max-age=${Math.round(budgetMs / 1000)}`
    this.#originUrl = await this.origin.listen()
    if (store === 'sentinel') this.#set = await startSentinel()
    else if (store === 'cluster') this.#set = await startCluster(redisArgs)
    else this.#single = await startRedis(redisArgs, redisEnv())
    if (bus === 'nats') this.#nats = await startNats()
    await Promise.all(Array.from({ length: instances }, (_, index) => this.#add(index)))
  }

  /** One instance more. */
  async add(): Promise<Instance> {
    return this.#add(this.instances.length)
  }

  async stop(): Promise<void> {
    await Promise.all(this.instances.map((instance) => instance.kill()))
    for (const proxy of [...this.proxies, ...this.#others]) proxy.close()
    await (this.#set ?? this.#single)?.stop()
    await this.#nats?.stop()
    this.origin.close()
    this.#namespace?.close()
    rmSync(this.folder, { recursive: true, force: true })
  }

  async #add(index: number): Promise<Instance> {
    const { door, root, blind, blindAfterMs, budgetMs, maxRecords, env } = this.build
    const folder = mkdtempSync(join(this.folder, `n${index}-`))
    const bus = { blind, blindAfter: blindAfterMs, maxRecords, ...(this.#nats && { url: this.#nats.url }) }
    const apart = index === 0 ? this.#namespace : undefined
    const l2 = { url: await this.#way(index, apart?.store.host), deadline: L2_DEADLINE_MS, bus, ...this.build.l2 }
    const place = apart === undefined ? { host: LOOPBACK, origin: this.#originUrl, before: [] } : await this.#outside(apart)
    const instance = new Instance({
      ...{ name: `n${index}`, door, root, folder, l2, ...place },
      budget: `${budgetMs}ms`,
      env: env(index, folder),
    })
    this.instances[index] = instance
    await instance.start()
    return instance
  }

  /** Several servers name each other: no proxy can stand between. */
  async #way(index: number, host = LOOPBACK): Promise<string> {
    if (this.#single === undefined) return (this.#set as RedisSet).url
    const proxy = new Proxy({ host: LOOPBACK, port: this.#single.port })
    this.proxies[index] = proxy
    return `redis://${host}:${await proxy.listen(host)}`
  }

  async #outside({ clients, before }: Namespace): Promise<{ host: string; origin: string; before: readonly string[] }> {
    const proxy = new Proxy({ host: LOOPBACK, port: Number(new URL(this.#originUrl).port) })
    this.#others.push(proxy)
    return { host: clients.inside, origin: `http://${clients.host}:${await proxy.listen(clients.host)}`, before }
  }
}
