/**
 * What a command of the application means to the hook: the upstream's table of commands, in the hook's words.
 *
 * Floor 5, room register. Until the table is there, and for whatever it does not know, a command counts as one of unknown
 * effect. Costs about 0.2 µs a command that goes to the server anyway; hits do not come here.
 */
import { isLive, keysOf, teaches, UNKNOWN_COMMAND, type CommandRule, type CommandTable } from '../resp/command-table.ts'
import { KeyPlaces } from '../resp/command-table-keys.ts'
import { ListWords } from '../resp/command-table-words.ts'
import { ONE_KEY, ONE_MEMBER } from './view.ts'

/**
 * `pass` has nothing to do with the data, `tell` reads it and is not kept, `read` is kept. `multi` to `close` change the
 * connection; `aside` in a way that is not modelled.
 */
export type CommandKind =
  | 'pass'
  | 'tell'
  | 'read'
  | 'write'
  | 'everything'
  | 'unknown'
  | 'exec'
  | 'multi'
  | 'discard'
  | 'watch'
  | 'unwatch'
  | 'select'
  | 'subscribe'
  | 'aside'
  | 'close'

/** A command, understood. */
export interface Command {
  readonly kind: CommandKind
  /** In lower case. */
  readonly name: string
  readonly keys: readonly (string | Buffer)[]
  readonly hashes: readonly number[]
  /** Its reply tells of the data. */
  readonly isTeaching: boolean
  /** It makes a counter or a lock of its keys. */
  readonly isLive: boolean
}

const MORE_READINGS = [
  'mget',
  'hmget',
  'getrange',
  'lrange',
  'smismember',
  'zrange',
  'zrangebyscore',
  'zrevrange',
  'zrank',
  'xrange',
  'json.get',
]

/** A command's words, its name first. */
export type List = readonly (string | Buffer)[]

const STATES: Readonly<Record<string, CommandKind>> = {
  select: 'select',
  multi: 'multi',
  exec: 'exec',
  discard: 'discard',
  watch: 'watch',
  unwatch: 'unwatch',
  quit: 'close',
  subscribe: 'subscribe',
  psubscribe: 'subscribe',
  ssubscribe: 'subscribe',
  unsubscribe: 'subscribe',
  punsubscribe: 'subscribe',
  sunsubscribe: 'subscribe',
  'client|setname': 'pass',
  'client|no-touch': 'pass',
}
const CHANGES: ReadonlySet<CommandKind> = new Set([
  'exec',
  'discard',
  'multi',
  'watch',
  'unwatch',
  'select',
  'subscribe',
  'aside',
  'close',
])
/** Whoever sends none of these has no use for memory, and the server not for another connection. */
const READINGS: ReadonlySet<string> = new Set([...ONE_KEY, ...ONE_MEMBER, ...MORE_READINGS])
const NOTHING: readonly (string | Buffer)[] = []

/** Whether a command changes the connection. */
export function isChange(kind: CommandKind): boolean {
  return CHANGES.has(kind)
}

/** See the module's header. */
export class Commands {
  readonly #words = new ListWords()
  readonly #places = new KeyPlaces()
  readonly #hash: (key: string | Buffer) => number
  readonly #wanted: () => void
  #table: CommandTable | undefined

  /** @param wanted told of each reading that could be kept, while there is no table: somebody should ask the server for it */
  constructor(hash: (key: string | Buffer) => number, wanted: () => void) {
    this.#hash = hash
    this.#wanted = wanted
  }

  /** The upstream has told what it knows. */
  learn(table: CommandTable): void {
    this.#table = table
  }

  /** Understands a command. */
  read(list: List): Command {
    if (this.#table === undefined || !list.every(isWord)) return this.#guess(list)
    const words = this.#words.of(list)
    const rule = this.#table.rule(words)
    const places = keysOf(rule, words, this.#places)
    const keys = places.indexes.map((index) => list[index] as string | Buffer)
    return {
      kind: kindOf(rule, places.isComplete),
      name: rule.name,
      keys,
      hashes: keys.map(this.#hash),
      isTeaching: teaches(rule, words),
      isLive: isLive(rule, words),
    }
  }

  #guess(list: List): Command {
    const name = String(list[0]).toLowerCase()
    const kind = STATES[name] ?? 'unknown'
    if (this.#table === undefined && READINGS.has(name)) this.#wanted()
    return { kind, name, keys: NOTHING, hashes: [], isTeaching: UNKNOWN_COMMAND.isTeaching, isLive: false }
  }
}

function kindOf(rule: CommandRule, isComplete: boolean): CommandKind {
  switch (rule.effect) {
    case 'state':
      return STATES[rule.name] ?? 'aside'
    case 'none':
      return 'pass'
    case 'read':
      return rule.isKept && isComplete ? 'read' : 'tell'
    case 'write':
      return isComplete ? 'write' : 'unknown'
    default:
      return rule.effect
  }
}

function isWord(word: unknown): word is string | Buffer {
  return typeof word === 'string' || Buffer.isBuffer(word)
}
