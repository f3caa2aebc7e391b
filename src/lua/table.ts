/**
 * What Lua can hold, and its tables: a dense part from 1 on, and everything else.
 *
 * Floor 3, room lua. Nil is undefined, strings are bytes as latin1, every number is a double. Reading and writing are O(1); a table may lose fields while it is walked through, as Lua allows.
 */
export type LuaValue = undefined | boolean | number | string | LuaTable | LuaFunction | LuaOpaque

/** A value that scripts can only hand on, such as `cjson.null`. */
export class LuaOpaque {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

/** Something that can be called. */
export class LuaFunction {
  readonly name: string
  readonly call: (args: LuaValue[]) => LuaValue[]

  constructor(name: string, call: (args: LuaValue[]) => LuaValue[]) {
    this.name = name
    this.call = call
  }
}

type Key = Exclude<LuaValue, undefined>

/** See the module's header. */
export class LuaTable {
  metatable: LuaTable | undefined
  /** Nobody may add or change anything. */
  isFrozen = false
  readonly #dense: LuaValue[] = []
  readonly #others = new Map<Key, LuaValue>()
  /** Keys in the order of a walk, with their places; made when somebody walks. */
  #walk: { readonly keys: Key[]; readonly places: Map<Key, number> } | undefined

  /** `#t`: a border. */
  get length(): number {
    return this.#dense.length
  }

  get(key: LuaValue): LuaValue {
    if (typeof key === 'number') {
      if (key >= 1 && key <= this.#dense.length && Number.isInteger(key)) return this.#dense[key - 1]
      return this.#others.size === 0 ? undefined : this.#others.get(key)
    }
    return key === undefined ? undefined : this.#others.get(key)
  }

  /** @param key neither nil nor NaN */
  set(key: Key, value: LuaValue): void {
    if (typeof key === 'number' && Number.isInteger(key) && key >= 1 && key <= this.#dense.length + 1) {
      this.#setDense(key, value)
      return
    }
    if (value === undefined) {
      if (this.#others.has(key)) this.#others.set(key, undefined)
      return
    }
    if (this.#walk !== undefined && !this.#others.has(key)) this.#walk = undefined
    this.#others.set(typeof key === 'number' ? key + 0 : key, value)
  }

  /** Puts behind the dense part. */
  push(value: LuaValue): void {
    this.#setDense(this.#dense.length + 1, value)
  }

  /** Inserts into the dense part, others move up. @param place from 1 to length + 1 */
  insert(place: number, value: LuaValue): void {
    this.push(value)
    for (let i = this.#dense.length; i > place; i -= 1) this.#dense[i - 1] = this.#dense[i - 2]
    this.#dense[place - 1] = value
  }

  /** Removes from the dense part, others move down. @param place from 1 to length */
  remove(place: number): LuaValue {
    const value = this.#dense[place - 1]
    this.#dense.splice(place - 1, 1)
    return value
  }

  /** Sorts the dense part. */
  sort(isLess: (a: LuaValue, b: LuaValue) => number): void {
    this.#dense.sort(isLess)
  }

  /** The next key behind one that was given, with its value; undefined: there is none; false: no such key. */
  next(key: LuaValue): readonly [Key, LuaValue] | undefined | false {
    let place = 0
    if (typeof key === 'number' && key >= 1 && key <= this.#dense.length) place = key
    else if (key !== undefined) return this.#nextOther(key)
    if (place < this.#dense.length) return [place + 1, this.#dense[place]]
    return this.#nextOther(undefined)
  }

  /** Everything in it. */
  *entries(): Iterable<readonly [Key, LuaValue]> {
    for (let i = 0; i < this.#dense.length; i += 1) yield [i + 1, this.#dense[i]]
    for (const [key, value] of this.#others) if (value !== undefined) yield [key, value]
  }

  #nextOther(key: Key | undefined): readonly [Key, LuaValue] | undefined | false {
    this.#walk ??= this.#plan()
    const { keys, places } = this.#walk
    const from = key === undefined ? 0 : (places.get(key) ?? -2) + 1
    if (from < 0) return false
    for (let i = from; i < keys.length; i += 1) {
      const value = this.#others.get(keys[i] as Key)
      if (value !== undefined) return [keys[i] as Key, value]
    }
    return undefined
  }

  #plan(): { readonly keys: Key[]; readonly places: Map<Key, number> } {
    const keys = [...this.#others.keys()]
    return { keys, places: new Map(keys.map((key, place) => [key, place])) }
  }

  #setDense(key: number, value: LuaValue): void {
    if (value !== undefined) {
      this.#dense[key - 1] = value
      if (this.#others.size > 0) this.#takeOver()
    } else if (key === this.#dense.length) {
      this.#dense.pop()
      while (this.#dense.length > 0 && this.#dense.at(-1) === undefined) this.#dense.pop()
    } else if (key < this.#dense.length) this.#split(key)
    else if (this.#others.has(key)) this.#others.set(key, undefined)
  }

  /** What stands behind a hole is dense no more. */
  #split(key: number): void {
    for (let i = key; i < this.#dense.length; i += 1) this.#others.set(i + 1, this.#dense[i])
    this.#dense.length = key - 1
    this.#walk = undefined
  }

  /** What follows the dense part becomes dense. */
  #takeOver(): void {
    for (let key = this.#dense.length + 1; ; key += 1) {
      const value = this.#others.get(key)
      if (value === undefined) return
      this.#others.delete(key)
      this.#dense.push(value)
      this.#walk = undefined
    }
  }
}
