/**
 * The Redis port over a simulation's store, as far as the second level asks it: its two scripts and `UNLINK`, each one step.
 */
import { ForecacheError } from '../../src/model/errors.ts'
import type { SimNode } from '../../src/sim/node.ts'
import type { StoreData } from '../../src/sim/store-data.ts'
import type { RedisCommand, RedisReply } from '../../src/tier/redis-client.ts'
import type { RedisPort, RedisScript, RedisSession } from '../../src/tier/redis-port.ts'

type Text = string | Buffer

/** A node's port. Entries stand as Latin-1 text: a byte a character. */
export class SimRedis implements RedisPort {
  readonly kind = 'single'
  readonly #node: SimNode
  #run = ''

  constructor(node: SimNode) {
    this.#node = node
  }

  isUp(): boolean {
    return true
  }

  /** Of the server that answered last. */
  runId(): string {
    return this.#run
  }

  call([name, ...keys]: RedisCommand, { deadlineMs }: { readonly deadlineMs: number }): Promise<RedisReply> {
    if (String(name) !== 'UNLINK') throw new Error(`the simulation's store has no ${String(name)}`)
    return this.#ask(deadlineMs, (data) => keys.filter((key) => data.del(String(key))).length)
  }

  run(
    { source }: RedisScript,
    keys: readonly Text[],
    { args, deadlineMs }: { readonly args: readonly Text[]; readonly deadlineMs: number },
  ): Promise<RedisReply> {
    const names = keys.map(String)
    return this.#ask(deadlineMs, (data) => (source.includes('STRLEN') ? read(data, names, args) : write(data, names, args)))
  }

  session(): Promise<RedisSession> {
    return Promise.reject(new ForecacheError('FC_L2_DOWN', { address: 'store', reason: 'a simulation has no sessions' }))
  }

  ready(): Promise<boolean> {
    return Promise.resolve(true)
  }

  onState(): () => void {
    return () => {}
  }

  list(): [] {
    return []
  }

  close(): void {}

  async #ask(deadlineMs: number, script: (data: StoreData) => RedisReply): Promise<RedisReply> {
    const [reply, run] = await this.#node.store.run((data) => [script(data), data.runId] as const, deadlineMs)
    this.#run = run
    return reply
  }
}

/** As the store's `TIME`, in µs. */
function told(data: StoreData): string {
  return `${data.time()}000`
}

function read(data: StoreData, names: readonly string[], [most]: readonly Text[]): RedisReply {
  const found = names.map((name) => {
    const text = data.get(name)
    return text === undefined || text.length > Number(most) ? null : Buffer.from(text, 'latin1')
  })
  return [told(data), found]
}

function write(data: StoreData, [name = '']: readonly string[], args: readonly Text[]): RedisReply {
  const [generation, asOf, storedAt, age, life, envelope] = args
  const now = data.time()
  const stored = Math.min(Number(storedAt), now - Number(age))
  const left = stored + Number(life) - now
  if (left < 1) return [told(data), 'expired']
  const [, former, formerAsOf, formerAt] = /^FC1:([\w.-]+):(\d+):(\d+):/.exec(data.get(name) ?? '') ?? []
  if (former === String(generation)) {
    if (Number(formerAsOf) > Number(asOf)) return [told(data), 'older']
    if (Number(formerAsOf) === Number(asOf) && Number(formerAt) > stored) return [told(data), 'older']
  }
  const head = `FC1:${String(generation)}:${String(asOf)}:${stored}:`
  data.set(name, head + Buffer.from(envelope as Buffer).toString('latin1'), { px: left })
  return [told(data), 'written']
}
