/**
 * A random program for ioredis: `CLIENT` names the package, `URL` the server, `SEED` and `STEPS` the program.
 */
import { dice, type Drawn } from './dice.ts'
import { finish, listening, pause, tellOf } from './tell.ts'

interface Client {
  [name: string]: (...args: unknown[]) => Promise<unknown>
}
interface Batch {
  [name: string]: (...args: unknown[]) => Batch & { exec(): Promise<unknown> }
}

const { default: Redis } = (await import(process.env['CLIENT'] as string)) as {
  default: new (url: string, options: object) => Client
}
const options = JSON.parse(process.env['OPTIONS'] ?? '{}') as { readonly enableAutoPipelining?: boolean }
const redis = new Redis(process.env['URL'] as string, options)
const other = new Redis(process.env['URL'] as string, options)
const { command, chance, below } = dice(Number(process.env['SEED']))
await (redis['ping'] as () => Promise<unknown>).call(redis)
await (other['ping'] as () => Promise<unknown>).call(other)
await listening(() => (redis['get'] as Client[string]).call(redis, 'first'))

let step = 0
for (; step < Number(process.env['STEPS']); ) {
  if (chance(0.1)) await pause(1)
  if (chance(0.12)) await batch()
  else if (chance(0.3)) await atOnce()
  else await tellOf(label(), run(chance(0.15) ? other : redis, command()))
  step += 1
}
await (redis['quit'] as () => Promise<unknown>).call(redis)
await (other['quit'] as () => Promise<unknown>).call(other)
finish()

function label(): string {
  return `${step}`
}

/** By its method or by `call`, as text or as Buffers, by promise or callback. */
function run(client: Client, [name, ...args]: Drawn): Promise<unknown> {
  const method = name.toLowerCase()
  const way = below(16)
  if (way === 0) return (client['call'] as Client[string]).call(client, name, ...args)
  // callBuffer loses the command's name under autopipelining, with the hook and without.
  if (way === 1 && options.enableAutoPipelining !== true)
    return (client['callBuffer'] as Client[string]).call(client, name, ...args)
  const isKnown = typeof client[method] === 'function'
  if (!isKnown) return (client['call'] as Client[string]).call(client, name, ...args)
  if (way === 2) return (client[`${method}Buffer`] as Client[string]).call(client, ...args)
  if (way === 3) return (client[method] as Client[string]).call(client, ...args.map((arg) => Buffer.from(arg)))
  if (way === 4) return (client[method] as Client[string]).call(client, args)
  if (way !== 5) return (client[method] as Client[string]).call(client, ...args)
  return new Promise((resolve, reject) => {
    void (client[method] as Client[string])
      .call(client, ...args, (error: unknown, reply: unknown) => {
        if (error === null || error === undefined) resolve(['callback', reply])
        else reject(error as Error)
      })
      ?.catch?.(() => undefined)
  })
}

/** Several without waiting, in order. */
async function atOnce(): Promise<void> {
  const started: Promise<unknown>[] = []
  for (let i = 0; i < 2 + below(5); i += 1) {
    const sent = run(redis, command())
    sent.catch(() => undefined)
    started.push(sent)
  }
  for (const [i, one] of started.entries()) await tellOf(`${label()}.${i}`, one)
}

/** A pipeline or a transaction. */
async function batch(): Promise<void> {
  const isMulti = chance(0.5)
  const made = (redis[isMulti ? 'multi' : 'pipeline'] as unknown as () => Batch).call(redis)
  let last: ReturnType<Batch[string]> | undefined
  for (let i = 0; i < 1 + below(4); i += 1) {
    const [name, ...args] = command()
    if (name === 'SELECT' && isMulti) continue
    const method = made[name.toLowerCase()]
    last = method === undefined ? (made['call'] as Batch[string])(name, ...args) : method.call(made, ...args)
  }
  if (last !== undefined) await tellOf(`${label()} ${isMulti ? 'multi' : 'pipeline'}`, last.exec())
}
