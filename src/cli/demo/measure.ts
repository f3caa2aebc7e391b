/**
 * The demo's measurement: the waterfall first, then a load with everything a shop has.
 *
 * Floor 6, room cli. Every four seconds of the load all products are made stale, as an import of a catalogue would; how
 * stale answers feel is part of the report.
 */
import { setTimeout } from 'node:timers/promises'
import { type ApiPlace, callApi } from '../api.ts'
import { type LoadReport, runLoad } from '../load.ts'
import { FULL_SIZES, SMALL_SIZES } from './shop/seed.ts'
import { createTraffic } from './traffic.ts'
import { measureWaterfall, type Waterfall } from './waterfall.ts'

/** Where the demo's parts listen. */
export interface Places {
  readonly gateway: string
  readonly api: string
  /** The shop itself, without forecache. */
  readonly shop: string
}

/** How much to measure. */
export interface MeasureWish {
  readonly small: boolean
  readonly seconds: number
  readonly apiKey?: readonly string[]
}

/** What was measured. */
export interface DemoMeasured {
  readonly waterfall: Waterfall
  readonly load: LoadReport & { readonly clients: number }
}

const CLIENTS = 8
const SEED = 20
const IMPORT_EVERY_MS = 4000
const DASHBOARD = { path: '/api/v1/dashboard', headers: { cookie: 'session=demo' } }

/** @throws FC_CLI_API, or Error when the dashboard is not answered */
export async function measureDemo(wish: MeasureWish, places: Places): Promise<DemoMeasured> {
  const waterfall = await measureWaterfall({ ...places, ...DASHBOARD, rounds: 40, perRound: 10 })
  const done = new AbortController()
  const imports = importCatalogue({ api: places.api, apiKey: wish.apiKey?.[0] }, done.signal)
  imports.catch(() => {}) // told below, when the load is over
  try {
    const load = await runLoad({
      origin: places.gateway,
      clients: CLIENTS,
      durationMs: wish.seconds * 1000,
      classify: classOf,
      next: createTraffic(productsOf(wish), SEED),
    })
    return { waterfall, load: { clients: CLIENTS, ...load } }
  } finally {
    done.abort()
    await imports
  }
}

/** One client that asks about twenty times a second, so that metrics move and nothing else suffers. */
export async function keepLoading(wish: MeasureWish, places: Places, signal: AbortSignal): Promise<void> {
  const next = createTraffic(productsOf(wish), SEED + 1)
  while (!signal.aborted) {
    await runLoad({ origin: places.gateway, clients: 1, durationMs: 1, signal, next })
    await pause(50, signal)
  }
}

/** @returns X-Cache's word as the class the report tells apart */
function classOf(xCache: string): string {
  if (xCache === 'HIT') return 'cached'
  return xCache === 'STALE' ? 'stale' : 'uncached'
}

function productsOf({ small }: MeasureWish): number {
  return (small ? SMALL_SIZES : FULL_SIZES).products
}

async function importCatalogue(place: ApiPlace, signal: AbortSignal): Promise<void> {
  await pause(IMPORT_EVERY_MS / 4, signal)
  while (!signal.aborted) {
    await callApi(place, '/v1/invalidate', { tags: ['products'], soft: true })
    await pause(IMPORT_EVERY_MS, signal)
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return setTimeout(ms, undefined, { signal }).catch(() => {})
}
