/**
 * A random program for node-redis: `CLIENT` names the package, `URL` the server, `SEED` and `STEPS` the program.
 */
import { dice, type Drawn } from './dice.ts'
import { finish, listening, pause, tellOf } from './tell.ts'

interface Client {
  connect(): Promise<Client>
  on(name: string, listener: () => void): void
  sendCommand(args: readonly (string | Buffer)[]): Promise<unknown>
  withTypeMapping(mapping: object): Client
  multi(): Batch
  select(database: number): Promise<unknown>
  close(): Promise<void>
  [name: string]: unknown
}
interface Batch {
  addCommand(args: readonly string[]): Batch
  exec(): Promise<unknown>
  execAsPipeline(): Promise<unknown>
}

const { createClient } = (await import(process.env['CLIENT'] as string)) as { createClient: (options: object) => Client }
const options = { url: process.env['URL'], ...(JSON.parse(process.env['OPTIONS'] ?? '{}') as object) }
const redis = createClient({ ...options })
const other = createClient({ ...options })
for (const client of [redis, other]) {
  client.on('error', () => undefined)
  await client.connect()
}
const { command, chance, below } = dice(Number(process.env['SEED']))
await listening(() => redis.sendCommand(['GET', 'first']))
/** Methods that take a command's words one by one. */
const PLAIN: Readonly<Record<string, string>> = {
  GET: 'get',
  STRLEN: 'strLen',
  TYPE: 'type',
  HGET: 'hGet',
  HGETALL: 'hGetAll',
  HKEYS: 'hKeys',
  HVALS: 'hVals',
  HLEN: 'hLen',
  HEXISTS: 'hExists',
  LLEN: 'lLen',
  SISMEMBER: 'sIsMember',
  SCARD: 'sCard',
  ZSCORE: 'zScore',
  ZCARD: 'zCard',
  ZRANK: 'zRank',
  DEL: 'del',
  APPEND: 'append',
  INCR: 'incr',
  GETDEL: 'getDel',
  LPOP: 'lPop',
  RPUSH: 'rPush',
}

let step = 0
for (; step < Number(process.env['STEPS']); step += 1) {
  if (chance(0.1)) await pause(1)
  if (chance(0.12)) await batch()
  else if (chance(0.3)) await atOnce()
  else await tellOf(`${step}`, run(chance(0.15) ? other : redis, command()))
}
await redis.close()
await other.close()
finish()

/** By its method or by `sendCommand`, with or without a type mapping. */
function run(client: Client, [name, ...args]: Drawn): Promise<unknown> {
  if (name === 'SELECT') return client.select(Number(args[0]))
  const way = below(12)
  const method = PLAIN[name]
  const isExact = method !== undefined && !(name === 'GET' && args.length !== 1) && !(name === 'RPUSH' && args.length !== 2)
  if (way === 0) return client.withTypeMapping({ 36: Buffer }).sendCommand([name, ...args])
  if (way === 1) return client.sendCommand([name, ...args.map((arg) => Buffer.from(arg))])
  if (way < 4 || !isExact) return client.sendCommand([name, ...args])
  const at = way === 4 ? client.withTypeMapping({ 36: Buffer }) : client
  if (name === 'MGET') return (at['mGet'] as (keys: readonly string[]) => Promise<unknown>).call(at, args)
  return (at[method] as (...words: string[]) => Promise<unknown>).call(at, ...args)
}

async function atOnce(): Promise<void> {
  const started: Promise<unknown>[] = []
  for (let i = 0; i < 2 + below(5); i += 1) {
    const sent = run(redis, command())
    sent.catch(() => undefined)
    started.push(sent)
  }
  for (const [i, one] of started.entries()) await tellOf(`${step}.${i}`, one)
}

async function batch(): Promise<void> {
  const made = redis.multi()
  for (let i = 0; i < 1 + below(4); i += 1) {
    const drawn = command()
    if (drawn[0] !== 'SELECT') made.addCommand([...drawn])
  }
  await tellOf(`${step} multi`, chance(0.5) ? made.exec() : made.execAsPipeline())
}
