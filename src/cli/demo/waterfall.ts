/**
 * The dashboard request taken apart: stage by stage at the shop, and as forecache answers it.
 *
 * Floor 6, room cli. Measured through HTTP by one client on kept-alive connections, with and without in turns, so that
 * both see the same machine. Stages are what the shop's Server-Timing says; `HTTP and rest` is what the client measured
 * beyond them.
 */
import { Client } from 'undici'
import { showMs } from '../io.ts'
import { Latencies, median, type Percentiles } from '../latency.ts'
import { parseServerTiming } from './shop/stages.ts'

/** One stage's median, ms. */
export interface Stage {
  readonly name: string
  readonly ms: number
}

/** What was measured. */
export interface Waterfall {
  readonly path: string
  readonly without: { readonly total: Percentiles; readonly stages: readonly Stage[] }
  readonly with: {
    readonly total: Percentiles
    readonly stages: readonly Stage[]
    readonly xCache: Readonly<Record<string, number>>
  }
  /** Medians' ratio: without / with. */
  readonly ratio: number
}

/** Where to measure. */
export interface WaterfallWish {
  readonly shop: string
  readonly gateway: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** Requests without; `perRound` times as many with. */
  readonly rounds: number
  readonly perRound: number
}

const WARM_UP = 3
const BAR = 44
/** X-Cache of an answer from memory. */
const HITS: ReadonlySet<string> = new Set(['HIT', 'STALE'])

/** @throws Error when the shop or the gateway does not answer 200 */
export async function measureWaterfall(wish: WaterfallWish): Promise<Waterfall> {
  const shop = new Client(wish.shop)
  const gateway = new Client(wish.gateway)
  try {
    const slow = new Series()
    const fast = new Series()
    for (let i = 0; i < WARM_UP; i += 1) {
      await ask(shop, wish)
      await ask(gateway, wish)
    }
    for (let round = 0; round < wish.rounds; round += 1) {
      slow.add(await ask(shop, wish))
      for (let i = 0; i < wish.perRound; i += 1) fast.add(await ask(gateway, wish))
    }
    const without = { total: slow.total.percentiles(), stages: slow.stages() }
    const cached = { total: fast.total.percentiles(), stages: fast.stages(), xCache: fast.xCache }
    return { path: wish.path, without, with: cached, ratio: without.total.p50 / cached.total.p50 }
  } finally {
    await Promise.all([shop.close(), gateway.close()])
  }
}

interface Timed {
  readonly ms: number
  readonly stages: readonly Stage[]
  readonly xCache: string
}

async function ask(client: Client, wish: WaterfallWish): Promise<Timed> {
  const from = performance.now()
  const answer = await client.request({ method: 'GET', path: wish.path, headers: wish.headers })
  const body = await answer.body.arrayBuffer()
  const ms = performance.now() - from
  if (answer.statusCode !== 200) {
    throw new Error(`${wish.path} was answered ${answer.statusCode}: ${Buffer.from(body).toString('utf8').slice(0, 200)}`)
  }
  const xCache = String(answer.headers['x-cache'] ?? 'none')
  return { ms, stages: stagesOf(answer.headers), xCache }
}

/** Stages of the shop where it ran; where forecache answered from memory, what that took. */
function stagesOf(headers: Readonly<Record<string, string | string[] | undefined>>): Stage[] {
  const timing = headers['server-timing']
  if (typeof timing === 'string') return parseServerTiming(timing)
  const micros = Number.parseFloat(String(headers['x-cache-latency']))
  return Number.isFinite(micros) ? [{ name: 'forecache', ms: micros / 1000 }] : []
}

class Series {
  readonly total = new Latencies()
  readonly xCache: Record<string, number> = {}
  readonly #stages = new Map<string, number[]>()

  add({ ms, stages, xCache }: Timed): void {
    this.total.add(ms)
    this.xCache[xCache] = (this.xCache[xCache] ?? 0) + 1
    // A miss among hits would lend them the shop's stages.
    if (xCache === 'none' || HITS.has(xCache)) this.#split(ms, stages)
  }

  stages(): Stage[] {
    return [...this.#stages].map(([name, values]) => ({ name, ms: median(values) }))
  }

  #split(ms: number, stages: readonly Stage[]): void {
    for (const stage of stages) this.#put(stage.name, stage.ms)
    this.#put('HTTP and rest', ms - stages.reduce((sum, stage) => sum + stage.ms, 0))
  }

  #put(name: string, ms: number): void {
    const values = this.#stages.get(name)
    if (values === undefined) this.#stages.set(name, [ms])
    else values.push(ms)
  }
}

/** As a text chart: bars on one scale, so that what is left over is seen. */
export function drawWaterfall(measured: Waterfall): string {
  const scale = Math.max(...measured.without.stages.map((stage) => stage.ms), 0.001)
  const draw = (stages: readonly Stage[]): string[] =>
    stages.map(({ name, ms }) => {
      const bar = '█'.repeat(Math.round((ms / scale) * BAR)) || '▏'
      return `    ${name.padEnd(16)} ${showMs(ms).padStart(9)}  ${bar}`
    })
  return [
    `  without forecache  p50 ${showMs(measured.without.total.p50)}, p99 ${showMs(measured.without.total.p99)}`,
    ...draw(measured.without.stages),
    `  from forecache     p50 ${showMs(measured.with.total.p50)}, p99 ${showMs(measured.with.total.p99)}`,
    ...draw(measured.with.stages),
    `  ${measured.ratio.toFixed(0)} × faster at p50`,
  ].join('\n')
}
