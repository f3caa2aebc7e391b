/**
 * Header fields in the order they came, names lower-cased.
 *
 * Floor 0, room model. RFC 9110 section 5: names are case-insensitive; several lines of one name combine with ", "
 * except Set-Cookie.
 */

/** A list of header fields. */
export class Fields {
  /** Flat: name, value, name, value …; names lower-cased. */
  readonly #list: string[]

  private constructor(list: string[]) {
    this.#list = list
  }

  /** @param raw flat name, value list as `IncomingMessage.rawHeaders` gives it */
  static fromRaw(raw: readonly string[]): Fields {
    const list: string[] = new Array(raw.length)
    for (let i = 0; i + 1 < raw.length; i += 2) {
      list[i] = (raw[i] as string).toLowerCase()
      list[i + 1] = raw[i + 1] as string
    }
    return new Fields(list)
  }

  /** @param list flat name, value list whose names are lower-case already; it is the fields' own from now on */
  static ofLower(list: string[]): Fields {
    return new Fields(list)
  }

  /** @param record values that are arrays give one line each; `undefined` is left out; numbers become text */
  static from(record: Readonly<Record<string, string | number | readonly string[] | undefined>> = {}): Fields {
    const fields = new Fields([])
    for (const [name, value] of Object.entries(record)) {
      if (value === undefined) continue
      if (typeof value === 'object') for (const one of value) fields.append(name, one)
      else fields.append(name, String(value))
    }
    return fields
  }

  /** First line's value. */
  first(name: string): string | undefined {
    const at = this.#find(name)
    return at < 0 ? undefined : this.#list[at + 1]
  }

  /** All lines of a name combined with ", " (RFC 9110 section 5.3); undefined when absent. */
  get(name: string): string | undefined {
    const at = this.#find(name)
    if (at < 0) return undefined
    let value = this.#list[at + 1] as string
    for (let i = at + 2; i < this.#list.length; i += 2) if (this.#list[i] === name) value += `, ${this.#list[i + 1]}`
    return value
  }

  /** Each line's value. */
  all(name: string): string[] {
    const found: string[] = []
    for (let i = 0; i < this.#list.length; i += 2) if (this.#list[i] === name) found.push(this.#list[i + 1] as string)
    return found
  }

  has(name: string): boolean {
    return this.#find(name) >= 0
  }

  /** Replaces every line of a name by one. */
  set(name: string, value: string): this {
    const lower = name.toLowerCase()
    const at = this.#find(lower)
    if (at < 0) return this.append(lower, value)
    this.#list[at + 1] = value
    for (let i = this.#list.length - 2; i > at; i -= 2) if (this.#list[i] === lower) this.#list.splice(i, 2)
    return this
  }

  append(name: string, value: string): this {
    this.#list.push(name.toLowerCase(), value)
    return this
  }

  delete(name: string): this {
    for (let i = this.#list.length - 2; i >= 0; i -= 2) if (this.#list[i] === name) this.#list.splice(i, 2)
    return this
  }

  /** A copy without the lines of these names. @param names lower-case */
  without(names: ReadonlySet<string>): Fields {
    const kept: string[] = []
    for (let i = 0; i < this.#list.length; i += 2) {
      const name = this.#list[i] as string
      if (!names.has(name)) kept.push(name, this.#list[i + 1] as string)
    }
    return new Fields(kept)
  }

  clone(): Fields {
    return new Fields(this.#list.slice())
  }

  /** Distinct names, in order of first appearance. */
  names(): string[] {
    const seen = new Set<string>()
    for (let i = 0; i < this.#list.length; i += 2) seen.add(this.#list[i] as string)
    return [...seen]
  }

  /** Flat name, value list, as `ServerResponse.writeHead` and undici take it. Do not modify. */
  raw(): readonly string[] {
    return this.#list
  }

  /** Bytes on the wire: names, values, and 4 for ": " and CRLF per line. */
  get bytes(): number {
    let sum = 0
    for (let i = 0; i < this.#list.length; i += 1) sum += (this.#list[i] as string).length + 2
    return sum
  }

  *[Symbol.iterator](): Generator<readonly [name: string, value: string]> {
    for (let i = 0; i < this.#list.length; i += 2) yield [this.#list[i] as string, this.#list[i + 1] as string]
  }

  #find(name: string): number {
    for (let i = 0; i < this.#list.length; i += 2) if (this.#list[i] === name) return i
    return -1
  }
}
