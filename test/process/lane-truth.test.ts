/**
 * Nobody who asks after an invalidation was acknowledged gets what stood before it, on whichever connection, in the lane too.
 *
 * Readers pipeline without a pause while values change: each answer is compared with what had been acknowledged when its
 * request was sent. FORECACHE_LANE_RUNS: changes (150); FORECACHE_LANE_SEED.
 */
import { describe, expect, it } from 'vitest'
import { Wire } from '../support/lane-arm.ts'
import { Dice } from '../support/lane-dice.ts'
import { gatewayBefore, originHere } from '../support/gateway-here.ts'
import { until } from '../support/lane-wire.ts'

const RUNS = Number(process.env['FORECACHE_LANE_RUNS'] ?? 150)
const SEED = Number(process.env['FORECACHE_LANE_SEED'] ?? Date.now() % 1_000_000)
const KEYS = 5
const READERS = 8

const get = (key: number): string => `GET /k${key} HTTP/1.1\r\nHost: a.test\r\n\r\n`

/** A connection that asks, and remembers what each answer may not be older than. */
class Reader {
  readonly #wire: Wire
  readonly #floors: { readonly key: number; readonly atLeast: number }[] = []
  #read = 0
  #from = 0
  readonly faults: string[] = []

  constructor(port: number) {
    this.#wire = new Wire(port)
  }

  get waiting(): number {
    return this.#floors.length - this.#read
  }

  ask(keys: readonly number[], acknowledged: readonly number[]): void {
    for (const key of keys) this.#floors.push({ key, atLeast: acknowledged[key] as number })
    this.#wire.send(keys.map(get).join(''))
  }

  /** Looks at the answers that have come. */
  check(): void {
    const answers = /<k(\d+) v(\d+)>/g
    const text = this.#wire.text
    answers.lastIndex = this.#from
    for (let found = answers.exec(text); found !== null; found = answers.exec(text)) {
      const floor = this.#floors[this.#read]
      this.#read += 1
      this.#from = answers.lastIndex
      if (floor === undefined || Number(found[1]) !== floor.key) this.faults.push(`answer ${this.#read} is for k${found[1]}`)
      else if (Number(found[2]) < floor.atLeast) this.faults.push(`k${found[1]}: v${found[2]} behind v${floor.atLeast}`)
    }
  }

  end(): void {
    this.#wire.socket.destroy()
  }
}

describe(`truth in the lane, seed ${SEED}`, () => {
  it('is never older than what was acknowledged when a request was sent', { timeout: 30_000 + RUNS * 200 }, async () => {
    const dice = new Dice(SEED)
    const versions = new Array<number>(KEYS).fill(1)
    const acknowledged = new Array<number>(KEYS).fill(1)
    const url = await originHere((request, response) => {
      const key = Number(/^\/k(\d+)/.exec(request.url ?? '')?.[1])
      if (request.method !== 'GET') versions[key] = (versions[key] as number) + 1
      const version = versions[key] as number
      const answer = (): void => {
        response.writeHead(200, { 'Cache-Control': 'max-age=600', 'Surrogate-Key': `k${key}` }).end(`<k${key} v${version}>`)
      }
      if (dice.chance(0.5)) setImmediate(answer)
      else answer()
    })
    const { gateway, port } = await gatewayBefore(url)
    const readers = Array.from({ length: READERS }, () => new Reader(port))
    const writer = new Wire(port)
    let written = 0

    for (let change = 0; change < RUNS; change += 1) {
      for (const reader of readers) {
        if (reader.waiting < 200)
          reader.ask(
            Array.from({ length: 1 + dice.int(6) }, () => dice.int(KEYS)),
            acknowledged,
          )
      }
      for (let left = dice.int(6); left > 0; left -= 1) await new Promise((resolve) => setImmediate(resolve))
      const key = dice.int(KEYS)
      if (dice.chance(0.3)) {
        written += 1
        writer.send(`PUT /k${key} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 0\r\n\r\n`)
        await until(() => writer.text.split('HTTP/1.1 200').length - 1 === written, 'a write is answered')
      } else {
        versions[key] = (versions[key] as number) + 1
        const target = dice.chance(0.5) ? { urls: [`http://a.test/k${key}`] } : { tags: [`k${key}`] }
        gateway.cache.engine.invalidate(target)
      }
      acknowledged[key] = versions[key] as number
      for (const reader of readers) reader.check()
    }
    await until(() => (readers.forEach((reader) => reader.check()), readers.every(({ waiting }) => waiting === 0)), 'all answers')

    expect(readers.flatMap(({ faults }) => faults)).toEqual([])
    expect(gateway.cache.stats().counts.laneAnswers).toBeGreaterThan(RUNS)
    for (const reader of readers) reader.end()
    writer.socket.destroy()
  })
})
