/**
 * What a JSON body mentions that a client may ask for next: identifiers, each with its place (`items[].id`, third).
 *
 * Floor 3, room flow. Bounded in bytes, depth, members and mentions; whatever is no such JSON mentions nothing. Values that
 * could change what a URL means are left out: an identifier becomes one piece of a path or a query, never more.
 */

/** Identifiers of one body. */
export interface Mentions {
  /** Place by value; the first place that held it. */
  readonly places: ReadonlyMap<string, string>
  /** Value by place. */
  readonly values: ReadonlyMap<string, string>
}

const MAX_BYTES = 64 * 1024
const MAX_DEPTH = 4
const MAX_MEMBERS = 64
/** Of one array: clients open what stands in front. */
const MAX_RANK = 8
const MAX_MENTIONS = 128
const NAMES = /(?:^|_|-)(?:id|ID|key|slug|uuid|sku|code)$|[a-z0-9](?:Id|ID|Key|Slug|Uuid|Sku|Code)$/
/** Unreserved characters, and no dot in front. */
const VALUE = /^[\w~-][\w.~-]{0,63}$/
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b])

/** @returns undefined where it mentions nothing */
export function mentionsIn(body: Uint8Array): Mentions | undefined {
  if (body.byteLength < 2 || body.byteLength > MAX_BYTES || !OPENING.has(body[0] as number)) return undefined
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'))
  } catch {
    return undefined
  }
  const found = { places: new Map<string, string>(), values: new Map<string, string>() }
  walk(parsed, { path: '', rank: '', depth: 0 }, found)
  return found.values.size === 0 ? undefined : found
}

interface Place {
  readonly path: string
  /** Places in the arrays on the way. */
  readonly rank: string
  readonly depth: number
}

interface Found {
  readonly places: Map<string, string>
  readonly values: Map<string, string>
}

function walk(node: unknown, { path, rank, depth }: Place, found: Found): void {
  if (typeof node !== 'object' || node === null || depth > MAX_DEPTH || found.values.size >= MAX_MENTIONS) return
  if (Array.isArray(node)) {
    for (let at = 0; at < Math.min(node.length, MAX_RANK); at += 1)
      walk(node[at], { path: `${path}[]`, rank: `${rank}#${at}`, depth: depth + 1 }, found)
    return
  }
  let members = 0
  for (const [name, value] of Object.entries(node)) {
    members += 1
    if (members > MAX_MEMBERS) return
    const text = typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : value
    if (typeof text !== 'string') walk(value, { path: `${path}.${name}`, rank, depth: depth + 1 }, found)
    else if (NAMES.test(name) && VALUE.test(text) && !name.includes('\u0003')) mention(found, `${path}.${name}${rank}`, text)
  }
}

function mention({ places, values }: Found, place: string, value: string): void {
  values.set(place, value)
  if (!places.has(value)) places.set(value, place)
}
