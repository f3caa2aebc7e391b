/**
 * `forecache demo`: the shop and the gateway as processes of their own, measured through HTTP, then left running.
 *
 * Floor 6, room cli. The gateway is `forecache serve` with the route policies beside this file: nothing runs here that a
 * user could not run himself. Busy ports are replaced by free ones, and said so.
 */
import { fileURLToPath } from 'node:url'
import { showAddress } from '../address.ts'
import type { Io } from '../io.ts'
import { type Child, startChild } from './child.ts'
import { keepLoading, measureDemo, type Places } from './measure.ts'
import { type Address, freeAddress } from './port.ts'
import { describeReport } from './report.ts'
import { checkDatabase } from './shop/database.ts'

/** What was asked for. */
export interface DemoWish {
  /** Ends after the report. */
  readonly once: boolean
  /** Keeps a small load running after the report. */
  readonly load: boolean
  readonly small: boolean
  /** Length of the measured load. */
  readonly seconds: number
  readonly json: boolean
  /** Flags of `serve` that the gateway gets. */
  readonly listen?: Address
  readonly api?: Address
  readonly memory?: string
  readonly profile?: string
  readonly apiKey?: readonly string[]
  readonly insecure?: boolean
}

const GATEWAY: Address = { host: '127.0.0.1', port: 8080 }
const API: Address = { host: '127.0.0.1', port: 8081 }
const READY_MS = 120_000

/** The policies; shipped as they are, so that they can be read and changed. */
export const POLICIES = fileURLToPath(new URL('./forecache.yaml', import.meta.url))
const GATEWAY_SCRIPT = fileURLToPath(new URL('../../../bin/forecache.js', import.meta.url))
const SHOP_SCRIPT = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? './shop/main.ts' : './shop/main.js', import.meta.url))

/** @returns the exit code, when the demo has ended @throws FC_CLI_PEER, FC_CLI_CHILD */
export async function runDemo(wish: DemoWish, io: Io): Promise<number> {
  checkDatabase()
  const say = wish.json ? (): void => {} : (line: string): void => io.out(line)
  const interrupted = awaitInterrupt()
  const children: Child[] = []
  try {
    say('Starting the shop: Postgres compiled to WebAssembly, seeded with the same rows every time. Some seconds …\n')
    const starting = start(wish, { children, say, signal: interrupted.signal })
    const places = await Promise.race([starting, interrupted.promise])
    if (places === undefined) return 0
    const measured = await Promise.race([measureDemo(wish, places), interrupted.promise])
    if (measured === undefined) return 0
    const report = { places, ...measured }
    io.out(wish.json ? JSON.stringify(report) : describeReport(report))
    if (wish.once) return 0
    return await stay(wish, { places, children, until: interrupted.promise, say, io })
  } finally {
    interrupted.forget()
    await Promise.all(children.map((child) => child.stop()))
  }
}

interface Starting {
  /** Filled as they get ready. */
  readonly children: Child[]
  readonly say: (line: string) => void
  readonly signal: AbortSignal
}

async function start(wish: DemoWish, { children, say, signal }: Starting): Promise<Places> {
  const listen = await claim(wish.listen ?? GATEWAY, 'gateway', say)
  const api = await claim(wish.api ?? API, 'api', say)
  const shop = await startChild({
    name: 'the shop',
    script: SHOP_SCRIPT,
    readyMs: READY_MS,
    signal,
    args: ['--api', `http://${showAddress(api)}`, ...(wish.small ? ['--small'] : [])],
    env: wish.apiKey?.[0] === undefined ? {} : { FORECACHE_CLI_KEY: wish.apiKey[0] },
  })
  children.push(shop)
  const shopUrl = String(shop.ready['listen'])
  children.push(
    await startChild({
      name: 'the gateway',
      script: GATEWAY_SCRIPT,
      readyMs: READY_MS,
      signal,
      args: ['serve', POLICIES, '--origin', shopUrl, '--listen', showAddress(listen), '--api', showAddress(api), ...passOn(wish)],
    }),
  )
  return { gateway: `http://${showAddress(listen)}`, api: `http://${showAddress(api)}`, shop: shopUrl }
}

function passOn({ memory, profile, apiKey = [], insecure = false }: DemoWish): string[] {
  return [
    ...(memory === undefined ? [] : ['--memory', memory]),
    ...(profile === undefined ? [] : ['--profile', profile]),
    ...apiKey.flatMap((key) => ['--api-key', key]),
    ...(insecure ? ['--insecure'] : []),
  ]
}

async function claim(wanted: Address, name: string, say: (line: string) => void): Promise<Address> {
  const found = await freeAddress(wanted)
  if (found.port !== wanted.port && wanted.port !== 0) {
    say(`Port ${wanted.port} is in use: the ${name} listens on ${found.port} instead.\n`)
  }
  return found
}

interface Staying {
  readonly places: Places
  readonly children: readonly Child[]
  readonly until: Promise<undefined>
  readonly say: (line: string) => void
  readonly io: Io
}

async function stay(wish: DemoWish, staying: Staying): Promise<number> {
  staying.say(`Running${wish.load ? ', with a small load' : ''}. Ctrl-C ends it.`)
  const stop = new AbortController()
  const loading = wish.load ? keepLoading(wish, staying.places, stop.signal) : Promise.resolve()
  const lost = await Promise.race([staying.until, ...staying.children.map((child) => child.lost)])
  stop.abort()
  await loading
  if (lost === undefined) return 0
  staying.io.err(`error: ${lost}`)
  return 1
}

interface Interrupt {
  /** Aborted at the first SIGINT or SIGTERM. */
  readonly signal: AbortSignal
  readonly promise: Promise<undefined>
  readonly forget: () => void
}

function awaitInterrupt(): Interrupt {
  const controller = new AbortController()
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const end = (): void => {
    controller.abort()
    resolve(undefined)
  }
  process.once('SIGINT', end).once('SIGTERM', end)
  const forget = (): void => {
    process.removeListener('SIGINT', end).removeListener('SIGTERM', end)
  }
  return { signal: controller.signal, promise, forget }
}
