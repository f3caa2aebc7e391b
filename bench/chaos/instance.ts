/**
 * One instance as a process: the gateway as users start it, or an API with the library in it. Asked over HTTP, killed,
 * stopped, resumed and started again.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Pool } from 'undici'
import { createPatience } from './strain.ts'

/** What kind of instance. */
export type Door = 'gateway' | 'library'

/** How an instance is started. */
export interface Recipe {
  readonly name: string
  readonly door: Door
  /** Checkout whose code runs. */
  readonly root: string
  /** A folder of its own. */
  readonly folder: string
  readonly host: string
  readonly origin: string
  readonly l2: object
  readonly budget: string
  readonly env: Readonly<Record<string, string>>
  /** Put before the command, such as `ip netns exec one`. */
  readonly before: readonly string[]
}

/** What a read gave. */
export interface Got {
  readonly status: number
  readonly version: number
  readonly isCached: boolean
}

/** What an invalidation gave. */
export interface Acknowledged {
  readonly token: string
  readonly nodes: { readonly expected: number; readonly acknowledged: number }
}

/** Without the time for which it gets no core. */
const READY_MS = 60_000
const LOOK_MS = 500
const CONNECTIONS = 16
const CHILD = fileURLToPath(new URL('child.ts', import.meta.url))

/** See the module's header. */
export class Instance {
  readonly recipe: Recipe
  /** Which life this is: counted up at each start. */
  life = 0
  #child: ChildProcess | undefined
  #front: Pool | undefined
  #api: Pool | undefined
  #said = ''

  constructor(recipe: Recipe) {
    this.recipe = recipe
  }

  get name(): string {
    return this.recipe.name
  }

  get pid(): number {
    return this.#child?.pid as number
  }

  /** The end of what it wrote on stderr. */
  get said(): string {
    return this.#said
  }

  async start(): Promise<void> {
    const { before, env, host } = this.recipe
    const [file, ...args] = [...before, process.execPath, ...this.#command()] as [string, ...string[]]
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env, ...this.#env() } })
    this.#child = child
    alive.add(child)
    child.once('exit', () => alive.delete(child))
    child.stderr?.on('data', (data: Buffer) => (this.#said = (this.#said + data.toString()).slice(-4000)))
    const ready = await this.#ready(child)
    this.life += 1
    const pool = (address: string): Pool =>
      new Pool(`http://${host}:${/:(\d+)$/.exec(address)?.[1]}`, {
        connections: CONNECTIONS,
        headersTimeout: 120_000,
        bodyTimeout: 120_000,
      })
    this.#front = pool(ready.listen)
    this.#api = pool(ready.api)
  }

  /** @throws when it is not there, or goes away meanwhile */
  async read(key: string, token: string | undefined): Promise<Got> {
    const headers = { host: 'shop', ...(token === undefined ? {} : { 'forecache-token': token }) }
    const reply = await (this.#front as Pool).request({ method: 'GET', path: `/k/${key}`, headers })
    const text = await reply.body.text()
    const isCached = String(reply.headers['x-cache']) !== 'MISS'
    return { status: reply.statusCode, version: reply.statusCode === 200 ? Number(JSON.parse(text).version) : -1, isCached }
  }

  /** @throws as `read` */
  async invalidate(key: string, isByTag: boolean): Promise<Acknowledged> {
    const byName = this.recipe.door === 'gateway' ? { urls: [`http://shop/k/${key}`] } : { keys: [key] }
    const reply = await (this.#api as Pool).request({
      method: 'POST',
      path: '/v1/invalidate',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(isByTag ? { tags: [`t-${key}`] } : byName),
    })
    const text = await reply.body.text()
    if (reply.statusCode !== 200) throw new Error(`${reply.statusCode} ${text}`)
    return JSON.parse(text) as Acknowledged
  }

  /** Sum of a metric's series, of those that hold the text. */
  async metric(name: string, text = ''): Promise<number> {
    const reply = await (this.#api as Pool).request({ method: 'GET', path: '/metrics' })
    const lines = (await reply.body.text()).split('\n').filter((line) => line.startsWith(name) && line.includes(text))
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name)
  }

  /** Ends it at once, as a machine that loses its power. */
  async kill(name: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const over = new Promise((resolve) => child.once('exit', resolve))
    child.kill(name)
    await over
    const pools = [this.#front, this.#api]
    await Promise.all(pools.map((pool) => pool?.destroy().catch(() => {})))
  }

  #command(): readonly string[] {
    const { door, root, folder, host, origin, l2, budget } = this.recipe
    if (door === 'library') return ['--disable-warning=ExperimentalWarning', CHILD]
    const file = join(folder, 'forecache.yaml')
    const match = { path: '/k/:key' }
    const route = { name: 'k', match, readYourWrites: true, budget, tags: ['t-{key}'] }
    writeFileSync(file, JSON.stringify({ origin: { url: origin }, l2, routes: [route], log: { level: 'warn' } }))
    return [join(root, 'bin/forecache.js'), 'serve', file, '--listen', `${host}:0`, '--api', `${host}:0`, ...insecure(host)]
  }

  #env(): Record<string, string> {
    return { CHAOS: JSON.stringify(this.recipe) }
  }

  #ready(child: ChildProcess): Promise<{ listen: string; api: string }> {
    return new Promise((resolve, reject) => {
      const isOver = createPatience(READY_MS, () => [child.pid as number])
      const timer = setInterval(() => {
        if (isOver()) fail('is not ready in time')
      }, LOOK_MS)
      const fail = (what: string): void => {
        clearInterval(timer)
        reject(new Error(`${this.name} ${what}\n${this.#said}`))
      }
      child.once('exit', (code, signal) => fail(`ended with ${code ?? signal}`))
      child.once('error', (error) => fail(error.message))
      createInterface(child.stdout as NodeJS.ReadableStream).on('line', (line) => {
        if (!line.includes('"ready"')) return
        clearInterval(timer)
        resolve(JSON.parse(line) as { listen: string; api: string })
      })
    })
  }
}

function insecure(host: string): readonly string[] {
  return host === '127.0.0.1' ? [] : ['--insecure']
}

/** None outlives the suite. */
const alive = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})
