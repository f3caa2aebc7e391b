/**
 * The library: one load however many callers, budgets, tags, and an invalidation that no load under way survives.
 * Run it after `npm run build`: node examples/library.ts
 */
import { createCache } from 'forecache'

const cache = createCache({
  memory: { maxBytes: '64MiB' },
  contexts: { price: { fresh: '30s', stale: '2m', onError: '1h' } },
})

let queries = 0
const priceOf = async (id: number): Promise<{ id: number; cents: number }> => {
  queries += 1
  return { id, cents: 100 * id }
}

const ask = () => cache.fetch('price:7', { context: 'price', tags: ['product:7'] }, () => priceOf(7))

const answers = await Promise.all(Array.from({ length: 100 }, ask))
console.log(`${answers.length} callers, ${queries} query; then from memory: ${(await ask()).cached}`)

const { matched } = await cache.invalidate({ events: [{ type: 'product.updated', id: 7 }] })
console.log(`an event reached ${matched} entry; then from memory: ${(await ask()).cached}`)
await cache.close()
