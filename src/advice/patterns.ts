/**
 * Paths clustered into patterns such as `/products/:id`, without being told.
 *
 * Floor 4, room advice. A tree of segments: what looks like an identifier is a parameter at once; where a place has many names
 * that few ask for, they become one. Learned on the first paths, then fixed but for new names, which find a bounded
 * number of places. Patterns are those of route policies.
 */

interface Node {
  readonly names: Map<string, Node>
  any: Node | undefined
  count: number
  /** Set once somebody asked for what ends here. */
  pattern: string | undefined
}

const MAX_DEPTH = 12
/** Names at one place above which they may be values of a parameter. */
const MANY = 24
/** The same for names of three words and more, such as titles. */
const MANY_TITLES = 8
const TOO_MANY = 200
/** A name that so large a share asks for stays a name. */
const HEAVY = 0.25
const RARE_READS = 5
const MAX_NAMES = 64

/** See the module's header. */
export class Patterns {
  readonly #root = createNode()
  #isFixed = false

  /** A path that is to be learned from. */
  learn(path: string): void {
    let node = this.#root
    for (const segment of segmentsOf(path)) {
      node = isIdentifier(segment) ? (node.any ??= createNode()) : nameOf(node, segment)
      node.count += 1
    }
  }

  /** Ends the learning. */
  fix(): void {
    this.#isFixed = true
    collapse(this.#root)
  }

  /** The pattern of a path. */
  match(path: string): string {
    if (!this.#isFixed) this.fix()
    let node = this.#root
    const taken: (string | undefined)[] = []
    for (const segment of segmentsOf(path)) {
      const next = step(node, segment)
      taken.push(node.any === next ? undefined : segment)
      node = next
    }
    node.pattern ??= spell(taken)
    return node.pattern
  }
}

function step(node: Node, segment: string): Node {
  const known = node.names.get(segment)
  if (known !== undefined) return known
  if (segment !== '' && (isIdentifier(segment) || node.any !== undefined || node.names.size >= MAX_NAMES))
    return (node.any ??= createNode())
  return nameOf(node, segment)
}

/** Segments after the first `/`; deeper ones are one. */
function segmentsOf(path: string): string[] {
  const segments = path.slice(1).split('/')
  return segments.length <= MAX_DEPTH ? segments : [...segments.slice(0, MAX_DEPTH - 1), segments.slice(MAX_DEPTH - 1).join('/')]
}

function spell(taken: readonly (string | undefined)[]): string {
  let parameters = 0
  let pattern = ''
  for (const name of taken) {
    if (name === undefined) parameters += 1
    pattern += `/${name ?? (parameters === 1 ? ':id' : `:id${parameters}`)}`
  }
  return pattern
}

/** Digits, digests and the like, and words that hold a number: what no programmer names an endpoint. */
export function isIdentifier(segment: string): boolean {
  if (/^\d+$/.test(segment)) return true
  if (/^[vV]\d{1,3}$/.test(segment) || segment.length > 512) return segment.length > 512
  if (/^[0-9a-f]{8}-[0-9a-f]{4}-/i.test(segment)) return true
  const name = segment.replace(/\.[a-z]{2,5}$/i, '')
  if (/^[0-9a-f]{8,}$/i.test(name) && /\d/.test(name)) return true
  const digits = name.replace(/\D+/g, '').length
  return digits >= 3 || (digits > 0 && digits * 2 >= name.length && name.length > 2) || (segment.length > 40 && digits > 0)
}

function collapse(node: Node): void {
  const { names } = node
  const isTitled = names.size > MANY_TITLES && areTitles(node)
  if (isTitled || (names.size > MANY && isLoose(node))) {
    for (const [name, child] of names) {
      if ((child.count >= node.count * HEAVY && !(isTitled && isTitle(name))) || name === '') continue
      names.delete(name)
      node.any = node.any === undefined ? child : merge(node.any, child)
    }
  }
  for (const child of names.values()) collapse(child)
  if (node.any !== undefined) collapse(node.any)
}

/** Whether the names at a place look like values: very many, or asked for seldom, or made of several words. */
function isLoose({ names }: Node): boolean {
  if (names.size > TOO_MANY) return true
  const all = [...names]
  const rare = all.filter(([, child]) => child.count <= RARE_READS).length
  const composed = all.filter(([name]) => /[-_.%\d]/.test(name)).length
  return Math.max(rare, composed) * 2 >= all.length
}

function areTitles({ names }: Node): boolean {
  return [...names.keys()].filter(isTitle).length >= names.size * 0.9
}

/** Three words and more. */
function isTitle(name: string): boolean {
  return /[^-_]+[-_][^-_]+[-_][^-_]/.test(name)
}

function merge(into: Node, from: Node): Node {
  into.count += from.count
  for (const [name, child] of from.names) {
    const known = into.names.get(name)
    if (known === undefined) into.names.set(name, child)
    else merge(known, child)
  }
  if (from.any !== undefined) into.any = into.any === undefined ? from.any : merge(into.any, from.any)
  return into
}

function nameOf(node: Node, segment: string): Node {
  const known = node.names.get(segment)
  if (known !== undefined) return known
  const made = createNode()
  node.names.set(segment, made)
  return made
}

function createNode(): Node {
  return { names: new Map(), any: undefined, count: 0, pattern: undefined }
}
