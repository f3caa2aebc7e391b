/**
 * Try a cache of your own before your users do: the races of caching by seed, in virtual time, without a server.
 * Run it after `npm run build`: node examples/testing.ts
 */
import { createCache } from 'forecache'
import { explore, type Instance, type SimNode } from 'forecache/testing'

/** The usual one: look, load, store; delete when something has changed. */
function cacheAside(node: SimNode): Instance {
  const stored = new Map<string, number>()
  const load = async (key: string) => {
    const version = await node.load(key)
    stored.set(key, version)
    return version
  }
  return { read: (key) => stored.get(key) ?? load(key), invalidate: (key) => void stored.delete(key) }
}

function withForecache({ clock, random, load }: SimNode): Instance {
  const cache = createCache({ clock, random })
  return { read: (key) => cache.fetch(key, () => load(key)), invalidate: (key) => cache.invalidate({ keys: [key] }) }
}

const usual = await explore({ start: cacheAside, nodes: 1, schedules: 200 })
const fenced = await explore({ start: withForecache, nodes: 1, schedules: 200 })
console.log(usual.text)
console.log(`with forecache: ${fenced.failed} of ${fenced.schedules} schedules failed`)
