/**
 * Kept replies of one database in one form: what clients of one kind, with the same options, may share.
 *
 * Floor 5, room register. Readings that applications make most have a drawer each, named by the key alone, so that a hit
 * needs neither the command nor its bytes; all others share one, named by the command and its arguments.
 */
import type { Drawer } from './shelf.ts'

/** Readings of one key, asked for by that key alone: what they answer is kept as the application sees it. */
export const ONE_KEY = [
  'get',
  'strlen',
  'hgetall',
  'hkeys',
  'hvals',
  'hlen',
  'llen',
  'scard',
  'smembers',
  'zcard',
  'type',
  'exists',
] as const
/** Readings of one key and one more word. */
export const ONE_MEMBER = ['hget', 'hexists', 'sismember', 'zscore', 'lindex'] as const

/** Place of GET's drawer. */
export const GET = 0
const INDEXES = new Map<string, number>([...ONE_KEY, ...ONE_MEMBER].map((name, index) => [name, index]))
/** Between two words of a name; a word may hold it, so the first one's length stands before. */
const GLUE = '\u0000'

/** What replies of a view are of. */
export interface ViewPlace {
  readonly database: number
  /** Stands before the names of its entries in Redis; bytes: they are not looked up by others. */
  readonly prefix: string | Buffer
}

/** See the module's header. */
export class View {
  readonly place: ViewPlace
  /** An application's own transformer has made what GET's drawer holds: not the value itself. */
  isAltered = false
  readonly drawers: readonly Drawer[] = [...ONE_KEY, ...ONE_MEMBER].map(() => new Map())
  readonly others: Drawer = new Map()

  constructor(place: ViewPlace) {
    this.place = place
  }

  /** Every drawer. */
  all(): readonly Drawer[] {
    return [...this.drawers, this.others]
  }
}

/** @returns place of a reading's drawer, by its name in lower case; undefined: `others` */
export function drawerOf(name: string): number | undefined {
  return INDEXES.get(name)
}

/** Whether a drawer's entries are named by two words. */
export function hasMember(index: number): boolean {
  return index >= ONE_KEY.length
}

/** Name of an entry by two words. */
export function memberName(key: string, member: string): string {
  return `${key.length}${GLUE}${key}${member}`
}

/** Name of an entry by a command's words. @returns undefined where a word is neither text nor bytes */
export function wordsName(name: string, args: readonly unknown[]): string | undefined {
  let made = name
  for (const arg of args) {
    if (typeof arg === 'string') made += `${GLUE}${arg.length}${GLUE}${arg}`
    else if (Buffer.isBuffer(arg)) made += `${GLUE}b${arg.length}${GLUE}${arg.toString('latin1')}`
    else return undefined
  }
  return made
}
