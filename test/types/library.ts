/**
 * A user's code against the built package's types: it must compile, and what is marked must not.
 */
import { type BudgetInput, type Cache, createCache, ForecacheError, type Result } from 'forecache'
import { createVirtualClock } from 'forecache/testing'

interface Quote {
  readonly price: number
}

export const cache: Cache = createCache({
  memory: { maxBytes: '64MiB', policy: 's3-fifo' },
  budget: { fresh: '30s', stale: '2m', onError: '10m' },
  contexts: { 'user:profile': 30_000 },
  events: { 'user.updated': ['user:{id}'] },
  clock: createVirtualClock(),
})

export const budget: BudgetInput = { fresh: '30s' }
// @ts-expect-error fresh is needed
export const broken: BudgetInput = { stale: '30s' }
// @ts-expect-error no such option
createCache({ memroy: {} })

export async function quote(id: string): Promise<number> {
  const { data, cached, stale, ageMs }: Result<Quote> = await cache.fetch(
    `quote:${id}`,
    { tags: [`product:${id}`], budget },
    async (context) => {
      context.signal.throwIfAborted()
      return { price: 1 }
    },
  )
  const known = cache.peek<Quote>(`quote:${id}`)
  return cached || stale || ageMs > 0 || known === undefined ? data.price : known.price
}

export async function change(id: string): Promise<string> {
  const { token, matched, nodes } = await cache.invalidate({ tags: [`product:${id}`], soft: true })
  return `${token} ${matched} ${nodes.acknowledged}`
}

export function code(error: unknown): string | undefined {
  return error instanceof ForecacheError && error.code === 'FC_LOAD_TIMEOUT' ? error.code : undefined
}
