/** Workers as processes: start, loss, replacement, reload, end. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { runCliProcess } from '../support/cli-process.ts'
import { originHere } from '../support/gateway-here.ts'
import { spawnGateway } from '../support/gateway-spawn.ts'
import { RawClient } from '../support/raw-client.ts'
import { type Pinned, through, WorkersStand } from '../support/workers-stand.ts'

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'forecache-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Whether nobody listens on a port; asked until it is so, or for 5 s. */
async function isFree(port: number): Promise<boolean> {
  for (const deadline = Date.now() + 5000; Date.now() < deadline; await pause(50)) {
    const free = await new Promise<boolean>((resolve) => {
      const server = createServer()
      server.once('error', () => resolve(false))
      server.listen({ port, host: '127.0.0.1' }, () => server.close(() => resolve(true)))
    })
    if (free) return true
  }
  return false
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

async function until(holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; !holds() && Date.now() < deadline; ) await pause(20)
  expect(holds()).toBe(true)
}

/** Options of every process that this test starts. */
function withNodeOptions(options: string): void {
  const { NODE_OPTIONS } = process.env
  process.env['NODE_OPTIONS'] = options
  onTestFinished(() => {
    if (NODE_OPTIONS === undefined) delete process.env['NODE_OPTIONS']
    else process.env['NODE_OPTIONS'] = NODE_OPTIONS
  })
}

describe('workers: start', () => {
  it('prints one ready line when all listen, and is one instance', async () => {
    const stand = await new WorkersStand().start(2)

    expect(stand.gateway.ready).toMatchObject({ msg: 'ready', listen: `127.0.0.1:${stand.gateway.port}` })
    expect((await stand.workers()).map(({ id, state }) => `${id} ${state}`)).toEqual(['1 listening', '2 listening'])
    expect((await fetch(`http://127.0.0.1:${stand.gateway.apiPort}/readyz`)).status).toBe(200)
  })

  it('refuses a port that is in use, by workers too, and leaves nothing running', async () => {
    const stand = await new WorkersStand().start(2)
    const origin = await originHere((_, response) => void response.end('x'))
    const listen = ['--listen', `127.0.0.1:${stand.gateway.port}`, '--api', '127.0.0.1:0']

    const second = await runCliProcess(['serve', '--origin', origin, '--workers', '2', ...listen])

    expect(second.code).toBe(1)
    expect(second.err).toContain('FC_LISTEN_FAILED')
    expect(second.err).toContain('another process listens there already')
  })

  it('says which worker could not start, and ends', async () => {
    withNodeOptions('--import data:text/javascript,process.argv[1]?.includes(%22/worker/%22)&&process.exit(3)')
    const origin = await originHere((_, response) => void response.end('x'))

    const ended = await runCliProcess([
      'serve',
      '--origin',
      origin,
      '--workers',
      '2',
      '--listen',
      '127.0.0.1:0',
      '--api',
      '127.0.0.1:0',
    ])

    expect(ended.code).toBe(1)
    expect(ended.err).toContain('error: FC_WORKER_START: worker 1 ended before it listened: code 3')
  })

  it('shares one socket where the system cannot spread connections over several', async () => {
    withNodeOptions(`--import ${new URL('../support/without-reuse-port.ts', import.meta.url).href}`)
    const stand = await new WorkersStand().start(2)
    const pins = await stand.pins(2, 1)
    for (const pin of pins) await through(pin, 'GET /k')
    const [victim] = await stand.workers()

    await through(pins[0] as Pinned, 'POST /k', ['Content-Length: 0'])

    for (const pin of pins) expect((await through(pin, 'GET /k')).text).toBe('1')
    process.kill(victim?.pid as number, 'SIGKILL')
    await stand.gateway.logged('a worker was lost')
    await stand.listening(2)
    for (const pin of await stand.pins(2, 1)) expect((await through(pin, 'GET /k')).text).toBe('1')
  })

  it('takes the number from file and environment, and refuses what is none', async () => {
    const origin = await originHere((_, response) => void response.end('x'))
    const file = join(folder(), 'forecache.yaml')
    writeFileSync(file, `origin: { url: "${origin}" }\nworkers: 0\n`)

    const refused = await runCliProcess(['serve', file])

    const odd = await runCliProcess(['serve', '--origin', origin, '--workers', '0'])
    expect([odd.code, odd.err]).toEqual([2, expect.stringContaining('Expected auto or a whole number from 1 to 256')])
    expect(refused.err).toContain(`${file}:2:10: workers: expected auto or a number from 1 to 256`)
    writeFileSync(file, `origin: { url: "${origin}" }\nworkers: auto\n`)
    const gateway = await spawnGateway([file])
    expect(gateway.port).toBeGreaterThan(0)
  })
})

describe('workers: loss', () => {
  it('replaces a killed worker; nobody else loses a request, and no counter falls', async () => {
    const stand = await new WorkersStand().start(2)
    stand.origin.maxDelayMs = 3
    const pins = await stand.pins(2, 4)
    const [victim] = await stand.workers()
    const lost: string[] = []
    const counted: number[][] = []
    let isOver = false
    const work = async (pin: Pinned, index: number): Promise<void> => {
      for (let i = 0; !isOver; i += 1) {
        try {
          await through(pin, `GET /load/${index}/${i % 50}`)
        } catch {
          lost.push(pin.worker)
          return
        }
      }
    }
    const watch = async (): Promise<void> => {
      while (!isOver) {
        const text = await (await fetch(`http://127.0.0.1:${stand.gateway.apiPort}/metrics`)).text()
        counted.push(countersOf(text))
        await pause(40)
      }
    }
    const all = [watch(), ...pins.map(work)]

    await pause(700)
    process.kill(victim?.pid as number, 'SIGKILL')
    await stand.listening(2)
    await pause(700)
    isOver = true
    await Promise.all(all)

    expect(new Set(lost)).toEqual(new Set([victim?.id]))
    expect(lost).toHaveLength(4)
    for (let i = 1; i < counted.length; i += 1) {
      const former = counted[i - 1] as number[]
      expect((counted[i] as number[]).every((value, at) => value >= (former[at] as number))).toBe(true)
    }
    expect(counted.length).toBeGreaterThan(5)
    expect((await stand.workers()).map(({ id }) => id)).toEqual(['2', '3'])
  })

  it('pauses longer each time between workers that do not live', async () => {
    const stand = await new WorkersStand().start(2)
    const steady = (await stand.workers())[1]
    const pauses: number[] = []
    for (let round = 0; round < 4; round += 1) {
      const next = (await stand.listening(2)).find(({ id }) => id !== steady?.id)
      process.kill(next?.pid as number, 'SIGKILL')
      const told = await stand.gateway.logged(`"worker":"${next?.id}","pid":${next?.pid},"reason":"SIGKILL"`)
      pauses.push(Number(told.pauseMs))
      expect((await fetch(`http://127.0.0.1:${stand.gateway.apiPort}/readyz`)).status).toBe(200)
    }

    expect(pauses).toEqual([100, 200, 400, 800])
  })

  it('is not ready while no worker listens, and ready again', async () => {
    const stand = await new WorkersStand().start(1 + 1)
    for (const { pid } of await stand.workers()) process.kill(pid, 'SIGKILL')
    const ready = async (): Promise<number> => (await fetch(`http://127.0.0.1:${stand.gateway.apiPort}/readyz`)).status
    const states = new Set<number>()
    for (const deadline = Date.now() + 5000; !states.has(503) && Date.now() < deadline; ) states.add(await ready())

    await stand.listening(2)

    expect(states).toContain(503)
    expect(await ready()).toBe(200)
  })

  it('ends with its supervisor: what is under way is answered, then the port is free', async () => {
    const stand = await new WorkersStand().start(2)
    const pids = (await stand.workers()).map(({ pid }) => pid)
    const pin = await stand.connect()
    stand.origin.maxDelayMs = 1500
    const under = through(pin, 'GET /slow')
    await pause(150)

    stand.gateway.signal('SIGKILL')

    expect((await under).text).toBe('0')
    await until(() => pids.every((pid) => !isAlive(pid)))
    expect(await isFree(stand.gateway.port)).toBe(true)
  })
})

describe('workers: reload and end', () => {
  it('serves by no former rule through any worker once a reload is told', async () => {
    const storable = (body: string) =>
      originHere((_, response) => void response.setHeader('cache-control', 'max-age=600').end(body))
    const [first, second] = [await storable('first'), await storable('second')]
    const file = join(folder(), 'forecache.yaml')
    writeFileSync(file, `origin: { url: "${first}" }\nworkers: 2\n`)
    const gateway = await spawnGateway([file])
    const clients = Array.from({ length: 16 }, () => new RawClient(gateway.port))
    onTestFinished(() => clients.forEach((client) => client.destroy()))
    const ask = async (): Promise<string[]> =>
      Promise.all(clients.map(async (client) => (await client.ask('GET /').answer()).text))
    expect(new Set([...(await ask()), ...(await ask())])).toEqual(new Set(['first']))

    writeFileSync(file, `origin: { url: "${second}" }\nworkers: 2\nlimts: {}\n`)
    await gateway.logged('configuration refused')
    expect(new Set(await ask())).toEqual(new Set(['first']))
    writeFileSync(file, `origin: { url: "${second}" }\nworkers: 2\nmemory: { maxBytes: 1MiB }\n`)
    gateway.signal('SIGHUP')

    expect((await gateway.logged('take a restart')).restart).toEqual(['memory'])
    expect((await gateway.logged('configuration reloaded')).applied).toEqual(['origin'])
    expect(new Set([...(await ask()), ...(await ask())])).toEqual(new Set(['second']))
  })

  it('drains all on SIGTERM, also when it goes to every process, and ends with 0', async () => {
    const stand = await new WorkersStand().start(2)
    const pins = await stand.pins(2, 1)
    const pids = (await stand.workers()).map(({ pid }) => pid)
    stand.origin.maxDelayMs = 900
    const under = pins.map((pin, index) => through(pin, `GET /slow/${index}`))
    await pause(100)

    for (const pid of pids) process.kill(pid, 'SIGTERM')
    stand.gateway.signal('SIGTERM')
    await stand.gateway.logged('draining')

    expect((await fetch(`http://127.0.0.1:${stand.gateway.apiPort}/readyz`)).status).toBe(503)
    expect((await Promise.all(under)).map((answer) => answer.text)).toEqual(['0', '0'])
    expect((await stand.gateway.ended).code).toBe(0)
    expect(pids.some(isAlive)).toBe(false)
  })

  it('ends at once on a second signal', async () => {
    const stand = await new WorkersStand().start(2)
    const pids = (await stand.workers()).map(({ pid }) => pid)
    const pin = await stand.connect()
    stand.origin.maxDelayMs = 60_000
    pin.client.ask('GET /never')
    await pause(100)
    const beganAt = Date.now()

    stand.gateway.signal('SIGTERM')
    await stand.gateway.logged('draining')
    stand.gateway.signal('SIGTERM')

    expect((await stand.gateway.ended).code).toBe(1)
    expect(Date.now() - beganAt).toBeLessThan(3000)
    await until(() => pids.every((pid) => !isAlive(pid)))
  })
})

/** Values of all counters and buckets, in the order of their lines. */
function countersOf(text: string): number[] {
  const lines = text.split('\n').filter((line) => /^forecache_\w+(?:_total|_count|_sum|_bucket)\b/.test(line))
  const known = lines.filter((line) => line.startsWith('forecache_cache_') && line.includes('_total'))
  return known.map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)))
}
