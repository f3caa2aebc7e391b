/** Several workers, one truth: whoever was told that something is gone reads nothing older through any of them. */
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createRandom } from '../../src/model/random.ts'
import { RawClient } from '../support/raw-client.ts'
import { type Pinned, through, WorkersStand } from '../support/workers-stand.ts'

const SEED = Number(process.env['FORECACHE_SEED'] ?? Date.now() % 1_000_000)
const OPERATIONS = Number(process.env['FORECACHE_OPERATIONS'] ?? 6000)

const of = (pins: readonly Pinned[], worker: string): Pinned => pins.find((pin) => pin.worker === worker) as Pinned

describe('workers: invalidation through one is invalidation in all', () => {
  it('answers an unsafe method when every worker has let go', async () => {
    const stand = await new WorkersStand().start(3)
    const pins = await stand.pins(3, 1)
    for (const pin of pins) for (const cache of ['MISS', 'HIT']) expect((await through(pin, 'GET /k')).get('x-cache')).toBe(cache)

    const written = await through(pins[0] as Pinned, 'POST /k', ['Content-Length: 0'])

    expect(written.text).toBe('1')
    for (const pin of pins) expect((await through(pin, 'GET /k')).text).toBe('1')
  })

  it('answers /v1/invalidate when every process has, and counts what all held', async () => {
    const stand = await new WorkersStand().start(2)
    const pins = await stand.pins(2, 1)
    for (const pin of pins) await through(pin, 'GET /k')
    stand.origin.raise('/k')

    const dry = await stand.invalidate({ tags: ['p:/k'], dryRun: true })
    const done = await stand.invalidate({ tags: ['p:/k'] })

    expect(dry).toMatchObject({ matched: 2, nodes: { expected: 3, acknowledged: 3 } })
    expect(done).toMatchObject({ matched: 2, nodes: { expected: 3, acknowledged: 3 } })
    for (const pin of pins) expect((await through(pin, 'GET /k')).text).toBe('1')
  })

  it('lets a soft invalidation be served once more, by each', async () => {
    const stand = await new WorkersStand().start(2)
    const pins = await stand.pins(2, 1)
    for (const pin of pins) await through(pin, 'GET /k')

    await stand.invalidate({ urls: ['http://a.test/k'], soft: true })

    for (const pin of pins) expect((await through(pin, 'GET /k')).get('x-cache')).not.toBe('HIT')
  })

  it(`gives nobody what was told to be gone, in ${OPERATIONS} random operations (seed ${SEED})`, async () => {
    const stand = await new WorkersStand().start(2)
    stand.origin.maxDelayMs = 4
    const pins = await stand.pins(2, 6)
    const told = new Map<string, number>()
    const tell = (path: string, version: number): void => void told.set(path, Math.max(told.get(path) ?? 0, version))
    const seen = { reads: 0, hits: 0, writes: 0, invalidations: 0, violations: [] as string[] }
    let left = OPERATIONS

    const run = async (pin: Pinned, random: () => number): Promise<void> => {
      while (left > 0) {
        left -= 1
        const [path, chance] = [`/k${Math.floor(random() * 8)}`, random()]
        if (chance < 0.9) {
          const floor = told.get(path) ?? 0
          const answer = await through(pin, `GET ${path}`)
          seen.reads += 1
          if (answer.get('x-cache') === 'HIT') seen.hits += 1
          if (Number(answer.text) < floor) seen.violations.push(`${pin.worker}: ${path} v${answer.text}, told v${floor}`)
        } else if (chance < 0.96) {
          tell(path, Number((await through(pin, `POST ${path}`, ['Content-Length: 0'])).text))
          seen.writes += 1
        } else {
          const version = stand.origin.raise(path)
          await stand.invalidate(random() < 0.5 ? { tags: [`p:${path}`] } : { urls: [`http://a.test${path}`] })
          tell(path, version)
          seen.invalidations += 1
        }
      }
    }
    await Promise.all(pins.map((pin, index) => run(pin, createRandom(SEED + index))))

    expect(seen.violations).toEqual([])
    expect(seen.hits / seen.reads).toBeGreaterThan(0.2)
    expect(Math.min(seen.writes, seen.invalidations)).toBeGreaterThan(OPERATIONS / 100)
  })
})

describe('workers: silence', () => {
  it('waits for a worker that stops for a moment', async () => {
    const stand = await new WorkersStand().start(2)
    const pins = await stand.pins(2, 1)
    for (const pin of pins) await through(pin, 'GET /k')
    const [stopped, other] = await stand.workers()
    process.kill(stopped?.pid as number, 'SIGSTOP')
    setTimeout(() => process.kill(stopped?.pid as number, 'SIGCONT'), 300)

    const written = await through(of(pins, other?.id as string), 'POST /k', ['Content-Length: 0'])

    expect(written.text).toBe('1')
    expect((await through(of(pins, stopped?.id as string), 'GET /k')).text).toBe('1')
    expect((await stand.workers()).map(({ id }) => id)).toEqual([stopped?.id, other?.id])
  })

  it('ends a worker that stays silent before it says that something is gone', async () => {
    const stand = await new WorkersStand().start(2)
    const pins = await stand.pins(2, 1)
    for (const pin of pins) await through(pin, 'GET /k')
    const [stopped, other] = await stand.workers()
    process.kill(stopped?.pid as number, 'SIGSTOP')
    const asked = of(pins, stopped?.id as string).client.ask('GET /k')
    const beganAt = Date.now()

    const written = await through(of(pins, other?.id as string), 'POST /k', ['Content-Length: 0'])
    const tookMs = Date.now() - beganAt

    expect(written.text).toBe('1')
    expect(tookMs).toBeGreaterThan(500)
    expect(tookMs).toBeLessThan(3000)
    expect(() => process.kill(stopped?.pid as number, 'SIGCONT')).toThrow('ESRCH')
    await expect(asked.answer()).rejects.toThrow('closed')
    const listening = await stand.listening(2)
    expect(listening.map(({ id }) => id)).not.toContain(stopped?.id)
    for (const pin of await stand.pins(2, 1)) expect((await through(pin, 'GET /k')).text).toBe('1')
  })

  it('replaces a worker that stays silent although nobody invalidates', async () => {
    const stand = await new WorkersStand().start(2)
    const [stopped] = await stand.listening(2)

    process.kill(stopped?.pid as number, 'SIGSTOP')

    expect((await stand.gateway.logged('a worker does not answer')).worker).toBe(stopped?.id)
    expect((await stand.listening(2)).map(({ id }) => id)).not.toContain(stopped?.id)
  })

  it('goes to the origin for everything while the supervisor is silent, and hits again when it speaks', async () => {
    const stand = await new WorkersStand().start(2)
    const pins = await stand.pins(2, 1)
    for (const pin of pins) for (let i = 0; i < 2; i += 1) await through(pin, 'GET /k')
    const supervisor = ((await stand.api('/v1/instances')) as { instances: { pid: number }[] }).instances[0]?.pid as number
    process.kill(supervisor, 'SIGSTOP')
    onTestFinished(() => {
      process.kill(supervisor, 'SIGCONT')
    })

    const beganAt = Date.now()
    const written = await through(pins[0] as Pinned, 'POST /k', ['Content-Length: 0'])
    const tookMs = Date.now() - beganAt
    const blind = [await through(pins[1] as Pinned, 'GET /k'), await through(pins[1] as Pinned, 'GET /k')]
    process.kill(supervisor, 'SIGCONT')
    await pause(600)
    const seeing = [await through(pins[1] as Pinned, 'GET /k'), await through(pins[1] as Pinned, 'GET /k')]

    expect(written.text).toBe('1')
    expect(tookMs).toBeLessThan(4000)
    expect(blind.map((answer) => [answer.get('x-cache'), answer.text])).toEqual([
      ['MISS', '1'],
      ['MISS', '1'],
    ])
    expect(seeing.map((answer) => answer.text)).toEqual(['1', '1'])
    expect(seeing[1]?.get('x-cache')).toBe('HIT')
  })
})

describe('workers: one truth under faults', () => {
  it(`gives nobody what was told to be gone while workers stop, die and the supervisor sleeps (seed ${SEED})`, async () => {
    const stand = await new WorkersStand().start(3)
    stand.origin.maxDelayMs = 4
    const supervisor = ((await stand.api('/v1/instances')) as { instances: { pid: number }[] }).instances[0]?.pid as number
    const told = new Map<string, number>()
    const seen = { reads: 0, hits: 0, writes: 0, lost: 0, faults: [] as string[], violations: [] as string[] }
    let isOver = false

    const work = async (index: number): Promise<void> => {
      const random = createRandom(SEED + index)
      let client = new RawClient(stand.gateway.port)
      while (!isOver) {
        const [path, writes] = [`/k${Math.floor(random() * 6)}`, random() < 0.05]
        const floor = told.get(path) ?? 0
        try {
          const answer = await client.ask(writes ? `POST ${path}` : `GET ${path}`, writes ? ['Content-Length: 0'] : []).answer()
          const version = Number(answer.text)
          if (answer.status !== 200) continue
          if (writes) {
            seen.writes += 1
            told.set(path, Math.max(told.get(path) ?? 0, version))
            continue
          }
          seen.reads += 1
          if (answer.get('x-cache') === 'HIT') seen.hits += 1
          if (version < floor) seen.violations.push(`${path} v${version}, told v${floor}; ${seen.faults.at(-1)}`)
        } catch {
          seen.lost += 1
          client.destroy()
          client = new RawClient(stand.gateway.port)
          await pause(5)
        }
      }
      client.destroy()
    }
    const clients = Array.from({ length: 18 }, (_, index) => work(index))
    const random = createRandom(SEED)
    for (let round = 0; round < 14; round += 1) {
      const workers = await stand.workers()
      const chance = random()
      const pid = chance < 0.25 ? supervisor : (workers[Math.floor(random() * workers.length)]?.pid as number)
      const forMs = chance < 0.4 ? 0 : random() * 1800
      seen.faults.push(`${chance < 0.25 ? 'supervisor' : 'worker'} ${pid} for ${Math.round(forMs)} ms`)
      signal(pid, pid !== supervisor && forMs === 0 ? 'SIGKILL' : 'SIGSTOP')
      await pause(pid === supervisor ? random() * 2500 : forMs)
      signal(pid, 'SIGCONT')
      await pause(250)
    }
    isOver = true
    await Promise.all(clients)

    expect(seen.violations).toEqual([])
    expect(seen.hits).toBeGreaterThan(500)
    expect(seen.writes).toBeGreaterThan(30)
    await stand.listening(3)
  })
})

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch {
    // it has ended
  }
}
