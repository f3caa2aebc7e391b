/**
 * One way from a request to the bytes of its answer, alone in this process: fills the store, warms, times every request.
 *
 * Usage: node child.ts <lane|door> <uniform|zipf> <requests> <keys>; prints one line of JSON.
 */
import { createCache } from '../../src/flow/cache.ts'
import { createHttpDoor } from '../../src/http/door.ts'
import type { OriginPort, Reply, RequestHead } from '../../src/model/exchange.ts'
import { Fields } from '../../src/model/fields.ts'
import { SILENT } from '../../src/model/port.ts'
import { createRandom } from '../../src/model/random.ts'
import { parseConfig } from '../../src/server/config.ts'
import type { LaneDesk } from '../../src/server/lane-desk.ts'
import { headText } from '../../src/server/lane-ready.ts'
import type { Origin } from '../../src/server/origin.ts'
import { createRunning } from '../../src/server/running.ts'
import { contentOf } from '../rig/content.ts'

const [way = 'lane', popularity = 'uniform', requestsGiven = '1000000', keysGiven = '100000'] = process.argv.slice(2)
const REQUESTS = Number(requestsGiven)
const KEYS = Number(keysGiven)
const WARM_UP = Math.min(REQUESTS, 300_000)
const FIELDS: readonly string[] = ['Host', '127.0.0.1:8080']

const config = parseConfig({ flags: { 'origin.url': 'http://127.0.0.1:1' } })
const cache = createCache({ memory: { maxBytes: '2GiB' } })
const { engine } = cache
const door = createHttpDoor({ engine })
const form = { via: '1.1 forecache-bench', keepAliveSeconds: 5 }
const { signal } = new AbortController()
const pathOf = (key: number): string => `/1024/${key}`

/** Answers every path at once; asked only while the store is filled. */
let asked = 0
const origin: OriginPort = {
  send: async ({ target }) => {
    asked += 1
    const body = Buffer.from(contentOf(target), 'latin1')
    const fields = Fields.from({
      'content-type': 'application/json',
      'cache-control': 'public, max-age=86400',
      etag: `"${target}"`,
      date: new Date().toUTCString(),
      'content-length': body.byteLength,
    })
    const chunks = async function* () {
      yield body
    }
    return { head: { status: 200, statusText: 'OK', fields }, body: chunks(), trailers: () => undefined }
  },
}

function headOf(target: string): RequestHead {
  return { method: 'GET', target, scheme: 'http', authority: '127.0.0.1:8080', fields: Fields.fromRaw(FIELDS) }
}

async function ask(target: string): Promise<Reply> {
  return door.handle(headOf(target), undefined, { origin, signal })
}

async function read(reply: Reply): Promise<void> {
  if (reply.body === undefined || reply.body instanceof Uint8Array) return
  for await (const _ of reply.body) asked += 0 // to its end, so that it is stored
}

/** Keys in the order they are asked for. */
function createOrder(): () => number {
  const random = createRandom(20)
  if (popularity === 'uniform') return () => Math.floor(random() * KEYS)
  const cumulated = new Float64Array(KEYS)
  let sum = 0
  for (let rank = 0; rank < KEYS; rank += 1) cumulated[rank] = sum += 1 / (rank + 1)
  return () => {
    const drawn = random() * sum
    let low = 0
    for (let high = KEYS - 1; low < high; ) {
      const middle = (low + high) >> 1
      if ((cumulated[middle] as number) < drawn) low = middle + 1
      else high = middle
    }
    return (low * 7919) % KEYS
  }
}

/** Bytes handed over; a sum that no compiler can leave out. */
let handed = 0
const gather = Buffer.allocUnsafeSlow(64 * 1024)

/** The gateway's lane under its default configuration, on the same entries. */
function laneDesk(): LaneDesk {
  const running = { config, engine, logger: SILENT, pseudonym: 'forecache-bench', origin: origin as Origin }
  const { lane } = createRunning(running)
  if (lane === undefined) throw new Error('this configuration has no lane')
  return lane
}

/** From a request line that is parsed, on a connection whose fields are known, to head and body in one buffer. */
function laneWay(): (target: string) => void {
  const lane = laneDesk()
  const fields = lane.read(FIELDS, { peer: { address: '127.0.0.1', version: '1.1' }, scheme: 'http' })
  if (fields === undefined) throw new Error('the lane does not know these fields')
  const { clock } = engine
  return (target) => {
    const now = clock.now()
    const known = lane.know(fields, 'GET', target)
    const answer = known === undefined ? undefined : lane.answer(known, now)
    if (known === undefined || answer === undefined) throw new Error(`not answered: ${target}`)
    gather.set(answer.head, 0)
    if (answer.body !== undefined) gather.set(answer.body, answer.head.byteLength)
    handed += answer.head.byteLength + (answer.body?.byteLength ?? 0)
    lane.time(known, clock.now() - now)
  }
}

/** The door of the full stack, and the head written as text; `node:http` itself is not in it. */
async function doorWay(target: string): Promise<void> {
  const reply = await ask(target)
  if (!(reply.body instanceof Uint8Array)) throw new Error(`not a hit: ${target}`)
  const text = headText(reply, form, { bodiless: false, length: reply.body.byteLength, chunked: false }) ?? ''
  handed += gather.write(text, 0, 'latin1') + reply.body.byteLength
  gather.set(reply.body, text.length)
}

/** What reading the clock twice costs, µs: contained in every duration. */
function clockCost(): number {
  const costs = new Float64Array(100_000)
  for (let i = 0; i < costs.length; i += 1) {
    const start = performance.now()
    costs[i] = performance.now() - start
  }
  return (costs.toSorted()[50_000] as number) * 1000
}

async function timeAll(): Promise<Float64Array> {
  const next = createOrder()
  const times = new Float64Array(REQUESTS)
  const lane = way === 'lane' ? laneWay() : undefined
  for (let i = -WARM_UP; i < REQUESTS; i += 1) {
    const target = Buffer.from(pathOf(next()), 'latin1').toString('latin1')
    const start = performance.now()
    if (lane !== undefined) lane(target)
    else await doorWay(target)
    const took = performance.now() - start
    if (i >= 0) times[i] = took * 1000
    // The event loop runs as it would between reads of a socket: the coarse clock ticks, timers fire.
    if (i % 64 === 0) await new Promise(setImmediate)
  }
  return times
}

for (let key = 0; key < KEYS; key += 1) await read(await ask(pathOf(key)))
const filled = asked
const times = await timeAll()
if (asked !== filled) throw new Error(`${asked - filled} requests were no hits`)
const sorted = times.toSorted()
const at = (q: number): number => sorted[Math.min(REQUESTS - 1, Math.ceil(q * REQUESTS) - 1)] as number
const mean = times.reduce((sum, one) => sum + one, 0) / REQUESTS
// Without the one in a thousand that the collector or another process has interrupted.
const trimmed = sorted.subarray(0, Math.ceil(REQUESTS * 0.999)).reduce((sum, one) => sum + one, 0) / Math.ceil(REQUESTS * 0.999)
const result = { mean, trimmed, p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1), clockUs: clockCost(), bytes: handed }
process.stdout.write(`${JSON.stringify(result)}\n`)
process.exit(0)
