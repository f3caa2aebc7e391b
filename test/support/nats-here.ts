/**
 * Real NATS servers with JetStream for a test: one, or a cluster of three.
 *
 * Each server is a process of its own on free ports of the loopback, its data in a directory of its own; what was started is
 * ended and removed by `stop`. Needs `nats-server` in PATH (`npm test` installs it on Debian where it may). NATS_SERVER names
 * another program.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/model/clock.ts'
import { namesOf } from '../../src/tier/jetstream-api.ts'
import { parseNatsUrl } from '../../src/tier/nats-address.ts'
import { createNats } from '../../src/tier/nats-client.ts'
import { readNatsCredentials } from '../../src/tier/nats-credentials.ts'
import type { TlsMaterial } from '../../src/tier/tls-material.ts'
import { until } from './redis-here.ts'
import { freePort, ServerProcess } from './server-process.ts'

const HOST = '127.0.0.1'

/** What a server is started with, beside its place. */
export interface NatsWish {
  /** PEM files. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string; readonly verify: boolean }
  /** Asked for at the door. */
  readonly login?: { readonly user: string; readonly password: string }
  /** More of its configuration, such as who may come in. */
  readonly lines?: readonly string[]
  /** What it is spoken to with here where `lines` ask for it. */
  readonly credentials?: string
}

/** One server. */
export interface NatsHere {
  readonly url: string
  readonly port: number
  readonly pid: number
  /** What JetStream's API answers, with the stream of a log named by the log's prefix. */
  api(subject: string, body?: object): Promise<Record<string, unknown>>
  /** Empties the log's stream. */
  purge(prefix: string): Promise<void>
  /** Throws the log's stream away. */
  drop(prefix: string): Promise<void>
  /** Keeps the last records of a log only. */
  trim(prefix: string, keep: number): Promise<void>
  /** SIGSTOP and SIGCONT: connections stand, nothing answers. */
  freeze(): void
  thaw(): void
  /** Ends it as a power cut does. */
  kill(): Promise<void>
  /** Ends it and starts it again on the same port, with its directory as it was left, or a new one. */
  restart(how: { readonly withData: boolean }): Promise<void>
  stop(): Promise<void>
}

/** Several servers; what is asked of the log is asked of the first. */
export interface NatsCluster extends Pick<NatsHere, 'url' | 'api' | 'purge' | 'drop' | 'trim' | 'stop'> {
  readonly servers: readonly NatsHere[]
}

/** Starts one server. */
export async function startNats(wish: NatsWish = {}, secure: TlsMaterial = {}): Promise<NatsHere> {
  const port = await freePort()
  const here = new Here({ port, wish, secure })
  try {
    await here.start()
  } catch (error) {
    await here.stop()
    throw error
  }
  return here
}

/** Three servers that form one cluster with JetStream. */
export async function startNatsCluster(): Promise<NatsCluster> {
  const ports = await Promise.all(Array.from({ length: 6 }, freePort))
  const [a, b, c, ...routes] = ports as [number, number, number, ...number[]]
  const servers = [a, b, c].map(
    (port, i) => new Here({ port, wish: {}, secure: {}, cluster: { name: `n${i}`, port: routes[i] as number, routes } }),
  )
  await Promise.all(servers.map((server) => server.start()))
  const first = servers[0] as Here
  return {
    api: (subject, body) => first.api(subject, body),
    purge: (prefix) => first.purge(prefix),
    drop: (prefix) => first.drop(prefix),
    trim: (prefix, keep) => first.trim(prefix, keep),
    url: `nats://${[a, b, c].map((port) => `${HOST}:${port}`).join(',')}`,
    servers,
    stop: async () => void (await Promise.all(servers.map((server) => server.stop()))),
  }
}

interface Recipe {
  readonly port: number
  readonly wish: NatsWish
  readonly secure: TlsMaterial
  readonly cluster?: { readonly name: string; readonly port: number; readonly routes: readonly number[] }
}

class Here extends ServerProcess implements NatsHere {
  readonly #recipe: Recipe
  #directory = mkdtempSync(join(tmpdir(), 'forecache-nats-'))

  constructor(recipe: Recipe) {
    super()
    this.#recipe = recipe
  }

  get url(): string {
    const { login, tls } = this.#recipe.wish
    const who = login === undefined ? '' : `${encodeURIComponent(login.user)}:${encodeURIComponent(login.password)}@`
    return `${tls === undefined ? 'nats' : 'tls'}://${who}${HOST}:${this.#recipe.port}`
  }

  get port(): number {
    return this.#recipe.port
  }

  async start(): Promise<void> {
    const file = join(this.#directory, 'nats.conf')
    writeFileSync(file, this.#config())
    await this.launch({ file: process.env['NATS_SERVER'] ?? 'nats-server', args: ['-c', file] }, async () => {
      await this.api('INFO')
      return true
    })
  }

  async api(subject: string, body?: object): Promise<Record<string, unknown>> {
    const clock = systemClock()
    const { secure: tls, wish } = this.#recipe
    const { credentials: given } = wish
    const credentials = given === undefined ? undefined : () => readNatsCredentials(given)
    const nats = createNats({ target: parseNatsUrl(this.url), tls, credentials, clock, random: Math.random })
    try {
      await until(() => nats.connection().isOpen, 'a connection to NATS', 2000)
      const how = { deadlineMs: 2000 }
      const { data } = await nats.connection().request(`$JS.API.${subject}`, body === undefined ? '' : JSON.stringify(body), how)
      const answer = JSON.parse(Buffer.from(data).toString('utf8')) as Record<string, unknown>
      if (answer['error'] !== undefined) throw new Error(JSON.stringify(answer['error']))
      return answer
    } finally {
      nats.close()
    }
  }

  async purge(prefix: string): Promise<void> {
    await this.api(`STREAM.PURGE.${namesOf(prefix).log}`)
  }

  async drop(prefix: string): Promise<void> {
    await this.api(`STREAM.DELETE.${namesOf(prefix).log}`)
  }

  async trim(prefix: string, keep: number): Promise<void> {
    const { log } = namesOf(prefix)
    const { config } = (await this.api(`STREAM.INFO.${log}`)) as { config: { subjects: string[] } }
    const filter = (config.subjects[0] as string).replace(/>$/, 'r')
    await this.api(`STREAM.PURGE.${log}`, { filter, keep })
  }

  async restart({ withData }: { readonly withData: boolean }): Promise<void> {
    await this.kill()
    if (!withData) {
      rmSync(this.#directory, { recursive: true, force: true })
      this.#directory = mkdtempSync(join(tmpdir(), 'forecache-nats-'))
    }
    await this.start()
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.#directory, { recursive: true, force: true })
  }

  #config(): string {
    const { port, wish, cluster } = this.#recipe
    const { tls, login } = wish
    return [
      `listen: "${HOST}:${port}"`,
      `log_file: "${join(this.#directory, 'server.log')}"`,
      `jetstream { store_dir: "${this.#directory}", max_memory_store: 64MB, max_file_store: 64MB }`,
      ...(tls === undefined
        ? []
        : [`tls { cert_file: "${tls.cert}", key_file: "${tls.key}", ca_file: "${tls.ca}", verify: ${tls.verify} }`]),
      ...(login === undefined ? [] : [`authorization { user: "${login.user}", password: "${login.password}" }`]),
      ...(wish.lines ?? []),
      ...(cluster === undefined ? [] : clusterLines(cluster)),
      '',
    ].join('\n')
  }
}

function clusterLines({ name, port, routes }: NonNullable<Recipe['cluster']>): string[] {
  const others = routes.filter((route) => route !== port).map((route) => `"nats://${HOST}:${route}"`)
  return [`server_name: ${name}`, `cluster { name: here, listen: "${HOST}:${port}", routes: [${others.join(', ')}] }`]
}
