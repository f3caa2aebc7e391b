/**
 * Real Redis (or Valkey) servers for a test: single, a cluster of three masters, a master and its replica under Sentinels.
 *
 * Each server is a process of its own on free ports of the loopback, its data in a directory of its own; what was started
 * is ended and removed by `stop`. Needs `redis-server` or `valkey-server` in PATH (`npm test` installs it on Debian where
 * it may). FORECACHE_REDIS_SERVER names another program, such as a Valkey that was built elsewhere; `startOriginal` alone does not heed it.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectRedis, type RedisReply } from '../../src/tier/redis-client.ts'
import type { TlsMaterial } from '../../src/tier/tls-material.ts'
import { freePort, ServerProcess, STARTS_WITHIN_MS } from './server-process.ts'

const HOST = '127.0.0.1'
const LOOKS_WITHIN_MS = 10_000
const LOGIN = { tls: false, username: undefined, password: undefined, database: 0 }

/** One server. */
export interface RedisHere {
  readonly url: string
  readonly port: number
  readonly directory: string
  /** The process now. */
  readonly pid: number
  command(...args: readonly (string | Buffer)[]): Promise<RedisReply>
  /** SIGSTOP and SIGCONT: connections stand, nothing answers. */
  freeze(): void
  thaw(): void
  /** Ends it as a power cut does. */
  kill(): Promise<void>
  /** Starts it again on the same port, with the data on its disk or without. */
  restart(how: { readonly withData: boolean }): Promise<void>
  stop(): Promise<void>
}

/** Several servers. */
export interface RedisSet {
  readonly url: string
  readonly servers: readonly RedisHere[]
  stop(): Promise<void>
}

/** Sentinels and what they watch. */
export interface SentinelSet extends RedisSet {
  /** The master's place as the first Sentinel names it. */
  master(): Promise<RedisHere>
  readonly sentinels: readonly RedisHere[]
}

/**
 * @param args as on the command line, such as `['--maxmemory', '2mb']` @param env added to the server's environment
 * @param secure what it is spoken to with over TLS, which `args` make it speak alone; absent: in the clear
 */
export async function startRedis(
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  secure?: TlsMaterial,
): Promise<RedisHere> {
  const port = await freePort()
  const directory = mkdtempSync(join(tmpdir(), 'forecache-redis-'))
  const recipe = { port, directory, env, args: ['--save', '', '--appendonly', 'no', ...args] }
  return new Here(secure === undefined ? recipe : { ...recipe, secure }).start()
}

/** The Redis 7 that the embedded mode is compared with word for word, whatever FORECACHE_REDIS_SERVER names. */
export async function startOriginal(): Promise<RedisHere> {
  const port = await freePort()
  const directory = mkdtempSync(join(tmpdir(), 'forecache-redis-'))
  return new Here({ port, directory, args: ['--save', '', '--appendonly', 'no'], program: 'redis-server' }).start()
}

/** Three masters with a third of the slots each. */
export async function startCluster(args: readonly string[] = [], secure?: TlsMaterial): Promise<RedisSet> {
  const servers: RedisHere[] = []
  const buses: number[] = []
  for (let i = 0; i < 3; i += 1) {
    const bus = await freePort()
    buses.push(bus)
    const flags = ['--cluster-enabled', 'yes', '--cluster-port', String(bus), '--cluster-node-timeout', '1000']
    servers.push(await startRedis([...flags, '--cluster-require-full-coverage', 'no', ...args], {}, secure))
  }
  const bounds = [0, 5461, 10_923, 16_384]
  for (const [i, server] of servers.entries()) {
    await server.command('CLUSTER', 'ADDSLOTSRANGE', String(bounds[i]), String((bounds[i + 1] as number) - 1))
    await server.command('CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1))
    if (i > 0) await server.command('CLUSTER', 'MEET', HOST, String(servers[0]?.port), String(buses[0]))
  }
  for (const server of servers) {
    await until(
      async () => {
        const info = String(await server.command('CLUSTER', 'INFO'))
        return info.includes('cluster_state:ok') && info.includes('cluster_slots_ok:16384')
      },
      'the cluster to be whole',
      STARTS_WITHIN_MS,
    )
  }
  return { url: (servers[0] as RedisHere).url, servers, stop: () => stopAll(servers) }
}

/** A master, one replica and three Sentinels that fail over after half a second. */
export async function startSentinel(args: readonly string[] = [], secure?: TlsMaterial): Promise<SentinelSet> {
  const master = await startRedis(args, {}, secure)
  const following = ['--replicaof', HOST, String(master.port), '--repl-diskless-sync-delay', '0']
  const replica = await startRedis([...following, ...args], {}, secure)
  const follows = async (): Promise<boolean> =>
    String(await replica.command('INFO', 'replication')).includes('master_link_status:up')
  await until(follows, 'the replica', STARTS_WITHIN_MS)
  const sentinels = await Promise.all([1, 2, 3].map(() => startOneSentinel(master.port, args, secure)))
  const servers = [master, replica]
  const url = `${secure === undefined ? 'redis' : 'rediss'}://${sentinels.map(({ port }) => `${HOST}:${port}`).join(',')}`
  const first = sentinels[0] as RedisHere
  await until(
    async () => {
      const row = (await first.command('SENTINEL', 'MASTER', 'main')) as readonly RedisReply[]
      const field = (name: string): string => String(row[row.findIndex((cell) => String(cell) === name) + 1])
      return field('num-other-sentinels') === '2' && field('num-slaves') === '1'
    },
    'the Sentinels to know each other',
    STARTS_WITHIN_MS,
  )
  return {
    url,
    servers,
    sentinels,
    stop: () => stopAll([...sentinels, ...servers]),
    master: async () => {
      const reply = await first.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'main')
      const port = Number(Array.isArray(reply) ? reply[1] : 0)
      return servers.find((server) => server.port === port) as RedisHere
    },
  }
}

/** Waits for a condition of a real process, looking again and again. */
export async function until(holds: () => boolean | Promise<boolean>, what: string, withinMs = LOOKS_WITHIN_MS): Promise<void> {
  const endAt = performance.now() + withinMs
  let last: unknown
  while (performance.now() < endAt) {
    try {
      if (await holds()) return
    } catch (error) {
      last = error
    }
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(`waited ${withinMs} ms for ${what}`, { cause: last })
}

interface Recipe {
  readonly port: number
  readonly directory: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Spoken to over TLS, with this. */
  readonly secure?: TlsMaterial
  /** Started with a file of this text, as Sentinels must be. */
  readonly file?: string
  /** Absent: what the module's header says. */
  readonly program?: string
}

class Here extends ServerProcess implements RedisHere {
  readonly #recipe: Recipe

  constructor(recipe: Recipe) {
    super()
    this.#recipe = recipe
  }

  get url(): string {
    return `${this.#recipe.secure === undefined ? 'redis' : 'rediss'}://${HOST}:${this.port}`
  }

  get port(): number {
    return this.#recipe.port
  }

  get directory(): string {
    return this.#recipe.directory
  }

  async start(): Promise<this> {
    const { port, directory, args, env, file } = this.#recipe
    const ports = this.#recipe.secure === undefined ? ['--port', String(port)] : ['--port', '0', '--tls-port', String(port)]
    const place = [...ports, '--bind', HOST, '--dir', directory, '--logfile', join(directory, 'server.log')]
    if (file !== undefined) writeFileSync(join(directory, 'sentinel.conf'), file)
    const own = file === undefined ? [] : [join(directory, 'sentinel.conf'), '--sentinel']
    await this.launch(
      { file: this.#recipe.program ?? program(), args: [...own, ...place, ...args], env },
      async () => (await this.command('PING')) === 'PONG',
    )
    return this
  }

  async command(...args: readonly (string | Buffer)[]): Promise<RedisReply> {
    const address = { host: HOST, port: this.port }
    const { secure } = this.#recipe
    const login = secure === undefined ? LOGIN : { ...LOGIN, tls: true, secure }
    const connection = await connectRedis(address, login, { deadlineMs: 5000, onEnd: () => undefined })
    try {
      return await connection.send(args)
    } finally {
      connection.destroy()
    }
  }

  async restart({ withData }: { readonly withData: boolean }): Promise<void> {
    await this.kill()
    if (!withData) {
      rmSync(this.directory, { recursive: true, force: true })
      mkdirSync(this.directory)
    }
    await this.start()
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.directory, { recursive: true, force: true })
  }
}

async function startOneSentinel(masterPort: number, args: readonly string[], secure?: TlsMaterial): Promise<RedisHere> {
  const port = await freePort()
  const directory = mkdtempSync(join(tmpdir(), 'forecache-sentinel-'))
  const file = [
    `sentinel monitor main ${HOST} ${masterPort} 2`,
    'sentinel down-after-milliseconds main 500',
    'sentinel failover-timeout main 2000',
    '',
  ].join('\n')
  return new Here({ port, directory, args, file, ...(secure && { secure }) }).start()
}

async function stopAll(servers: readonly RedisHere[]): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()))
}

let found: string | undefined
function program(): string {
  found ??= [process.env['FORECACHE_REDIS_SERVER'] ?? '', 'redis-server', 'valkey-server'].find(
    (name) => name !== '' && spawnSync(name, ['--version']).status === 0,
  )
  if (found !== undefined) return found
  throw new Error(
    'these tests need redis-server or valkey-server: apt-get install redis-server, or name one with FORECACHE_REDIS_SERVER',
  )
}
