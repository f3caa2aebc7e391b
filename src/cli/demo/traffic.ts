/**
 * The demo's load: what a shop's clients ask for.
 *
 * Floor 6, room cli. Seeded, so two runs ask the same. Products follow Zipf's law: a few are asked for all the time, most
 * hardly ever. One request in fifty insists on the origin (`cache-control: no-cache`), as a reload in a browser does.
 */
import { createRandom, type Random } from '../../model/random.ts'
import type { LoadRequest } from '../load.ts'

/** Skew of Zipf's law; 1 is what request logs of catalogues show. */
const SKEW = 1
/** Share of requests that insist on the origin, unless told otherwise. */
const NO_CACHE_SHARE = 0.02
const CURRENCIES = ['', '?currency=EUR', '?tier=gold', '?currency=GBP&tier=platinum', '?tier=standard&currency=USD'] as const
const LISTS = [
  '/api/products',
  '/api/products?page=2',
  '/api/products?category=Tents',
  '/api/products?sort=-price&category=Lamps',
  '/api/products?category=Boots&sort=name',
  '/api/products?q=Light&utm_source=letter',
] as const

/** @param products how many products the shop has @returns the next request at each call */
export function createTraffic(products: number, seed: number, noCacheShare = NO_CACHE_SHARE): () => LoadRequest {
  const random = createRandom(seed)
  const pickProduct = createZipf(products, random)
  return () => {
    const request = nextRequest(random, pickProduct)
    if (random() >= noCacheShare) return request
    return { ...request, headers: { ...request.headers, 'cache-control': 'no-cache' } }
  }
}

function nextRequest(random: Random, pickProduct: () => number): LoadRequest {
  const dice = random()
  if (dice < 0.55) return { path: `/api/products/${pickProduct()}` }
  if (dice < 0.75) return { path: `/api/quote/${pickProduct()}${pickOf(CURRENCIES, random)}` }
  if (dice < 0.92) return { path: pickOf(LISTS, random) }
  const session = random() < 0.8 ? 'demo' : 'demo-viewer'
  return { path: dice < 0.99 ? '/api/v1/dashboard' : '/api/profile', headers: { cookie: `session=${session}` } }
}

function pickOf<T>(list: readonly T[], random: Random): T {
  return list[Math.floor(random() * list.length)] as T
}

/** Ranks 1 to n, rank r asked for in proportion to 1 / r. One table, a binary search per pick. */
function createZipf(n: number, random: Random): () => number {
  const sums = new Float64Array(n)
  let sum = 0
  for (let rank = 1; rank <= n; rank += 1) {
    sum += rank ** -SKEW
    sums[rank - 1] = sum
  }
  return () => {
    const target = random() * sum
    let low = 0
    let high = n - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if ((sums[middle] as number) < target) low = middle + 1
      else high = middle
    }
    return low + 1
  }
}
