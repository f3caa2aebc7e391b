/**
 * The Redis port over a simulation's store, as far as the second level asks it: its scripts and plain commands.
 */
import { ForecacheError } from '../../src/model/errors.ts'
import type { SimNode } from '../../src/sim/node.ts'
import type { StoreData } from '../../src/sim/store-data.ts'
import type { RedisCommand, RedisReply } from '../../src/tier/redis-client.ts'
import type { RedisPort, RedisScript, RedisSession } from '../../src/tier/redis-port.ts'

type Text = string | Buffer
type Script = (data: StoreData) => RedisReply

/** A node's port. Entries stand as Latin-1 text: a byte a character. */
export class SimRedis implements RedisPort {
  readonly kind = 'single'
  readonly #node: SimNode
  #run = ''
  #scripts: Script[] = []
  #replies: Promise<readonly [replies: RedisReply[], run: string]> = Promise.resolve([[], ''])

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

  call([name, ...args]: RedisCommand, { deadlineMs }: { readonly deadlineMs: number }): Promise<RedisReply> {
    const command = COMMAND[String(name)]
    if (command === undefined) return Promise.reject(new Error(`the simulation's store has no ${String(name)}`))
    return this.#ask(deadlineMs, (data) => command(data, args.map(String)))
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

  /** What is asked in one turn goes over the connection in its order, and in one piece. */
  #ask(deadlineMs: number, script: Script): Promise<RedisReply> {
    if (this.#scripts.length === 0) {
      const scripts = this.#scripts
      this.#replies = Promise.resolve().then(() => {
        this.#scripts = []
        return this.#node.store.run((data) => [scripts.map((each) => each(data)), data.runId] as const, deadlineMs)
      })
    }
    const index = this.#scripts.push(script) - 1
    return this.#replies.then(([replies, run]) => {
      this.#run = run
      return replies[index] as RedisReply
    })
  }
}

const COMMAND: Readonly<Record<string, (data: StoreData, args: readonly string[]) => RedisReply>> = {
  UNLINK: (data, keys) => keys.filter((key) => data.del(key)).length,
  GETRANGE: (data, [key = '', from, to]) => Buffer.from(data.get(key) ?? '', 'latin1').subarray(Number(from), Number(to) + 1),
  TIME: (data) => [String(Math.floor(data.time() / 1000)), String((data.time() % 1000) * 1000)],
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
  if (now + 2 < Number(storedAt) + Number(age)) return [told(data), 'unsure']
  const stored = Math.min(Number(storedAt), now - Number(age))
  const left = stored + Number(life) - now
  if (left < 1) return [told(data), 'expired']
  const [, former, formerAsOf, formerAt] = /^FC1:([\w.-]+):(\d+):(\d+):/.exec(data.get(name) ?? '') ?? []
  if (former === String(generation)) {
    if (Number(formerAsOf) > Number(asOf)) return [told(data), 'older']
    if (Number(formerAsOf) === Number(asOf) && Number(formerAt) > stored + 100) return [told(data), 'older']
  }
  const head = `FC1:${String(generation)}:${String(asOf)}:${stored}:`
  data.set(name, head + Buffer.from(envelope as Buffer).toString('latin1'), { px: left })
  return [told(data), 'written']
}
