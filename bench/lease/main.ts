/**
 * Question   how long after a load has ended are those answered who wait for it on other machines?
 * Method     five caches over one real Redis, each with its own connections and 20 callers; one load of 50 ms for each key;
 *            the time from the load's end to each caller's answer, callers of the loading machine left out
 * Left out   the network between machines, and processes of their own: all share one event loop, which makes it slower
 *
 * Usage: node bench/lease/main.ts [keys]
 */
import { openMachine } from '../../test/support/l2-here.ts'
import { startRedis } from '../../test/support/redis-here.ts'

const MACHINES = 5
const CALLERS = 20
const LOAD_MS = 50
const keys = Number(process.argv[2] ?? 100)

const server = await startRedis()
const machines = await Promise.all(Array.from({ length: MACHINES }, () => openMachine(server.url)))
const waits: number[] = []
let loads = 0
for (let round = 0; round < keys; round += 1) {
  let endedAt = 0
  let loader = -1
  const answers = machines.flatMap(({ cache }, machine) =>
    Array.from({ length: CALLERS }, async () => {
      await cache.fetch(`key ${round}`, async () => {
        loads += 1
        loader = machine
        await new Promise((resolve) => setTimeout(resolve, LOAD_MS))
        endedAt = performance.now()
        return { price: round }
      })
      return { machine, at: performance.now() }
    }),
  )
  for (const { machine, at } of await Promise.all(answers)) if (machine !== loader) waits.push(at - endedAt)
}
waits.sort((a, b) => a - b)
const at = (share: number): string => (waits[Math.floor(share * (waits.length - 1))] as number).toFixed(2)
console.log(
  `${keys} keys, ${loads} loads, ${waits.length} waiters: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`,
)
await Promise.all(machines.map((machine) => machine.close()))
await server.stop()
process.exit(0)
