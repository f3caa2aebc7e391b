/**
 * A reader and writer of our own at one server and database: the library of the same process.
 *
 * Floor 5, room register. To memory he is a client like any other: what clients have read he is given, what he reads and writes is
 * marked as theirs is, and what he learns their hits wait for. His commands go over a connection of his own, made when it is first needed, so that
 * nothing of ours stands among the application's.
 */
import { Line, type LineFollower, type LineWords } from '../resp/line.ts'
import { type LineMemory, LineValues } from '../resp/line-values.ts'
import { dialer, type Target } from './dial.ts'
import { depart, type Manner } from './flight.ts'
import { Lane, MISS, WAIT } from './lane.ts'
import { runIdOf } from './run-id.ts'
import type { Entry } from './shelf.ts'
import type { Upstream } from './upstream.ts'
import { GET, type View } from './view.ts'

/** What bytes become that are no text: where it stands, the bytes cannot be told any more. */
const LOSS = '\uFFFD'

/** See the module's header. */
export class Guest implements LineMemory {
  readonly values: LineValues
  readonly #upstream: Upstream
  readonly #database: number
  readonly #lane = new Lane()
  readonly #view: View
  readonly #manner: Manner

  constructor(upstream: Upstream, database: number) {
    this.#upstream = upstream
    this.#database = database
    this.#view = upstream.view(`library ${database}`, { database, prefix: '' })
    this.#manner = {
      place: ({ name, keys }) => {
        const key = String(keys[0])
        const drawer = this.#view.drawers[GET]
        return name === 'get' && drawer !== undefined ? { drawer, name: key, key } : undefined
      },
      form: (reply) => reply,
    }
    const { target, clock } = upstream
    const line = new Line({
      ...{ clock, name: upstream.name, isPipelined: true, greeting: greetingOf(target, database) },
      port: dialer(target, (error) => upstream.failed(error)),
      introduction: {
        words: ['INFO', 'server'],
        told: (info) => upstream.add(this.#lane.reader, Buffer.isBuffer(info) ? runIdOf(info) : ''),
      },
    })
    this.values = new LineValues(line, this)
    this.#lane.connected(upstream, { view: this.#view, database })
    upstream.addGuest(this.#lane.reader, () => {
      this.#lane.disconnected()
      line.close()
    })
  }

  peek(key: string): Uint8Array | undefined {
    for (const entry of this.#entries(key)) {
      const found = bytesOf(this.#lane.take(entry))
      if (found !== undefined) return found ?? undefined
    }
    return undefined
  }

  async find(key: string): Promise<Uint8Array | null | undefined> {
    for (const entry of this.#entries(key)) {
      const found = this.#lane.take(entry)
      const value = found === WAIT ? await this.#wait(entry) : bytesOf(found)
      if (value !== undefined) return value
    }
    return undefined
  }

  follow(words: LineWords): LineFollower | undefined {
    return depart(this.#lane, words, this.#manner)
  }

  /** What clients of any kind have read of a key, as far as it tells the bytes. */
  *#entries(key: string): Iterable<Entry> {
    if (!this.#lane.isOpen) return
    for (const { place, drawers, isAltered } of this.#upstream.views) {
      const { database, prefix } = place
      if (database !== this.#database || isAltered || typeof prefix !== 'string' || !key.startsWith(prefix)) continue
      const entry = drawers[GET]?.get(key.slice(prefix.length))
      if (entry !== undefined) yield entry
    }
  }

  #wait(entry: Entry): Promise<Uint8Array | null | undefined> {
    return new Promise((resolve) => {
      this.#lane.wait((isProven) => resolve(isProven ? bytesOf(this.#lane.take(entry)) : undefined))
    })
  }
}

/** @returns undefined where the bytes are not known; null: nothing stands */
function bytesOf(found: unknown): Uint8Array | null | undefined {
  if (found === MISS || found === WAIT) return undefined
  if (found === null || found instanceof Uint8Array) return found
  return typeof found === 'string' && !found.includes(LOSS) ? Buffer.from(found) : undefined
}

function greetingOf({ username, password }: Target, database: number): readonly LineWords[] {
  const auth = password === undefined ? [] : [['AUTH', ...(username === undefined ? [] : [username]), password]]
  return [...auth, ...(database === 0 ? [] : [['SELECT', String(database)]])]
}
