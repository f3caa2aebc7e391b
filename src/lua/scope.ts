/**
 * Who knows which name: locals, and variables of the functions around.
 *
 * Floor 3, room lua.
 */
import type { Expression, Local, Upvalue } from './syntax.ts'

/** One function while it is read. */
export class Scope {
  readonly around: Scope | undefined
  readonly upvalues: Upvalue[] = []
  isVariadic = false
  slots = 0
  /** Loops that stand open. */
  loops = 0
  readonly #blocks: Local[][] = [[]]

  constructor(around: Scope | undefined) {
    this.around = around
  }

  open(): void {
    this.#blocks.push([])
  }

  close(): void {
    this.#blocks.pop()
  }

  /** A new local, known from now on. */
  declare(name: string): Local {
    const local = { name, slot: this.slots, isCaptured: false }
    this.slots += 1
    this.#blocks.at(-1)?.push(local)
    return local
  }

  /** One that is known only when it is declared by `know`. */
  prepare(name: string): Local {
    const local = { name, slot: this.slots, isCaptured: false }
    this.slots += 1
    return local
  }

  know(local: Local): void {
    this.#blocks.at(-1)?.push(local)
  }

  /** What a name means here. */
  resolve(name: string, line: number): Expression {
    const local = this.#find(name)
    if (local !== undefined) return { kind: 'local', local }
    const index = this.#upvalue(name)
    return index === undefined ? { kind: 'global', name, line } : { kind: 'upvalue', index, name }
  }

  #find(name: string): Local | undefined {
    for (let i = this.#blocks.length - 1; i >= 0; i -= 1) {
      const found = this.#blocks[i]?.findLast((local) => local.name === name)
      if (found !== undefined) return found
    }
    return undefined
  }

  #upvalue(name: string): number | undefined {
    const known = this.upvalues.findIndex((upvalue) => upvalue.name === name)
    if (known >= 0) return known
    const { around } = this
    if (around === undefined) return undefined
    const local = around.#find(name)
    if (local !== undefined) local.isCaptured = true
    const from = local ?? around.#upvalue(name)
    return from === undefined ? undefined : this.upvalues.push({ name, from }) - 1
  }
}
