/**
 * One client, one process: awaited hits, and the same calls without the hook; told as JSON.
 *
 * Question   what does an awaited read cost with the hook, and what a round trip over the loopback?
 * Method     the same calls in rounds; CPU of this process (user and system) and wall time per call; the fastest and the
 *            median round are told. With `HOOK=off` each call is a round trip to the server on this machine.
 * Left out   other work of the process between calls; several calls at once
 */
import { createRequire } from 'node:module'

type Client = Readonly<
  Record<'get' | 'hgetall' | 'hGetAll' | 'mget' | 'mGet' | 'set' | 'hset' | 'hSet', (...args: unknown[]) => Promise<unknown>>
>

const { CLIENT = '', URL: url = '', ROUNDS = '15', CALLS = '100000' } = process.env
const isIoredis = CLIENT.startsWith('ioredis')
const client = await open()
const keys = Array.from({ length: 100 }, (_, i) => `user:${i}:profile`)
const ten = keys.slice(0, 10)

await prepare()
const cases: Readonly<Record<string, (i: number) => Promise<unknown>>> = {
  get: (i) => client.get(keys[i % 100]),
  'get, key made anew': (i) => client.get(`user:${i % 100}:profile`),
  'hgetall of 10 fields': isIoredis ? () => client.hgetall('profile') : () => client.hGetAll('profile'),
  'mget of 10 keys': isIoredis ? () => client.mget(ten) : () => client.mGet(ten),
}
const told: Record<string, { readonly wall: number[]; readonly cpu: number[] }> = {}
for (let round = 0; round < Number(ROUNDS); round += 1) {
  for (const [name, run] of Object.entries(cases)) {
    const cpu = process.cpuUsage()
    const wall = await timed(run)
    const used = process.cpuUsage(cpu)
    told[name] ??= { wall: [], cpu: [] }
    told[name].wall.push(wall)
    told[name].cpu.push(((used.user + used.system) * 1000) / Number(CALLS))
  }
}
process.stdout.write(JSON.stringify(told))
process.exit(0)

/** The call itself is awaited in the loop, as an application would. */
async function timed(call: (i: number) => Promise<unknown>): Promise<number> {
  const calls = Number(CALLS)
  const startedAt = performance.now()
  for (let i = 0; i < calls; i += 1) await call(i)
  return ((performance.now() - startedAt) * 1e6) / calls
}

async function open(): Promise<Client> {
  const loaded = createRequire(import.meta.url)(CLIENT) as {
    readonly default: new (url: string) => Client
    readonly createClient: (options: object) => { connect(): Promise<unknown> }
  }
  if (isIoredis) return new loaded.default(url)
  const made = loaded.createClient({ url })
  await made.connect()
  return made as unknown as Client
}

async function prepare(): Promise<void> {
  for (const key of keys) await client.set(key, `the profile of ${key}, about sixty-four bytes of text, no more`)
  const fields = Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`field${i}`, `value ${i}`]))
  await (isIoredis ? client.hset('profile', fields) : client.hSet('profile', fields))
  await new Promise((resolve) => setTimeout(resolve, 300))
  for (const key of keys) await client.get(key)
  await (isIoredis ? client.hgetall('profile') : client.hGetAll('profile'))
  await new Promise((resolve) => setTimeout(resolve, 100))
}
