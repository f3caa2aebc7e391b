/**
 * Libraries of functions: FUNCTION LOAD keeps them, FCALL runs them.
 *
 * Floor 4, room resp. A library is loaded whole or not at all. They live as long as the process: no snapshot holds them.
 */
import { caught, messageOf } from '../lua/base-library.ts'
import { compileLua } from '../lua/compile.ts'
import type { Args } from '../lua/library.ts'
import { LuaTable } from '../lua/table.ts'
import { LuaError, LuaFunction, type LuaValue } from '../lua/value.ts'
import type { Call } from './embedded-call.ts'
import { refuse } from './embedded-errors.ts'
import type { Server } from './embedded-server.ts'
import { arrayOf, ScriptEngine } from './script-engine.ts'

/** One function. */
export interface LibraryFunction {
  readonly name: string
  readonly library: string
  readonly description: string | undefined
  readonly flags: readonly string[]
  readonly run: LuaFunction
}

/** One library. */
export interface Library {
  readonly name: string
  readonly code: string
  readonly functions: readonly LibraryFunction[]
}

const NAME = /^[A-Za-z0-9_]+$/
const FLAGS = new Set(['no-writes', 'allow-oom', 'allow-stale', 'no-cluster', 'allow-cross-slot-keys'])
const WRONG_NAME = 'names can only contain letters, numbers, or underscores(_) and must be at least one character long'

/** See the module's header. */
export class FunctionLibraries {
  readonly libraries = new Map<string, Library>()
  readonly functions = new Map<string, LibraryFunction>()
  readonly #engine: ScriptEngine
  /** What the library that is being loaded has registered. */
  #registered: LibraryFunction[] | undefined
  #loading = ''

  constructor(server: Server) {
    this.#engine = new ScriptEngine(server, {
      chunk: 'user_function',
      functions: { register_function: (args) => this.#register(args) },
    })
  }

  /** @returns the library's name @throws where it cannot be loaded; nothing has changed then */
  load(code: string, replaces: boolean): string {
    const { name, bytes } = readHead(code)
    if (this.libraries.has(name) && !replaces) throw refuse(`Library '${name}' already exists`)
    const functions = this.#evaluate(name, code.slice(bytes))
    if (functions.length === 0) throw refuse('No functions registered')
    const taken = functions.find((one) => (this.functions.get(one.name)?.library ?? name) !== name)
    if (taken !== undefined) throw refuse(`Function ${taken.name} already exists`)
    this.delete(name)
    this.libraries.set(name, { name, code, functions })
    for (const one of functions) this.functions.set(one.name, one)
    return name
  }

  /** @returns whether it was there */
  delete(name: string): boolean {
    for (const one of this.libraries.get(name)?.functions ?? []) this.functions.delete(one.name)
    return this.libraries.delete(name)
  }

  clear(): void {
    this.libraries.clear()
    this.functions.clear()
  }

  /** FCALL. @throws where there is none */
  call(
    call: Call,
    name: string,
    given: { readonly keys: readonly string[]; readonly args: readonly string[]; readonly isReadOnly: boolean },
  ): void {
    const found = this.functions.get(name)
    if (found === undefined) throw refuse('Function not found')
    const noWrites = found.flags.includes('no-writes')
    this.#engine.perform(call, {
      name,
      flags: { isDeclared: true, noWrites, allowsOom: noWrites || found.flags.includes('allow-oom') },
      isReadOnly: given.isReadOnly,
      invoke: () => found.run.call([arrayOf(given.keys), arrayOf(given.args)]),
    })
  }

  #evaluate(name: string, source: string): readonly LibraryFunction[] {
    const { machine } = this.#engine
    const functions: LibraryFunction[] = []
    this.#loading = name
    this.#registered = functions
    this.#engine.begin()
    let step = 'compiling function'
    try {
      const run = compileLua(source, machine)
      step = 'registering functions'
      run.call([])
      return functions
    } catch (error) {
      const value = caught(error)
      const text = value instanceof LuaTable ? messageOf(value.get('err')) : messageOf(value)
      throw refuse(`Error ${step}: ${step.startsWith('reg') && !(value instanceof LuaTable) ? 'ERR ' : ''}${text}`)
    } finally {
      this.#registered = undefined
      machine.depth = 0
    }
  }

  #register(args: Args): LuaValue[] {
    const registered = this.#registered
    const fail = (text: string): LuaError => new LuaError(text)
    if (registered === undefined) throw fail('redis.register_function can only be called on FUNCTION LOAD command')
    const wish = args.count === 1 ? this.#named(args.at(0), fail) : this.#plain(args, fail)
    if (!NAME.test(wish.name)) throw fail(`Library ${WRONG_NAME}`)
    if (registered.some(({ name }) => name === wish.name)) throw fail('Function already exists in the library')
    registered.push({ ...wish, library: this.#loading })
    return []
  }

  #plain(args: Args, fail: (text: string) => LuaError): Omit<LibraryFunction, 'library'> {
    const [name, run] = [args.at(0), args.at(1)]
    if (args.count !== 2) throw fail('wrong number of arguments to redis.register_function')
    if (typeof name !== 'string') throw fail('first argument to redis.register_function must be a string')
    if (!(run instanceof LuaFunction)) throw fail('second argument to redis.register_function must be a function')
    return { name, run, description: undefined, flags: [] }
  }

  #named(given: LuaValue, fail: (text: string) => LuaError): Omit<LibraryFunction, 'library'> {
    if (!(given instanceof LuaTable)) {
      throw fail(
        'calling redis.register_function with a single argument is only applicable to Lua table (representing named arguments).',
      )
    }
    const [name, run, flagList, description] = ['function_name', 'callback', 'flags', 'description'].map((key) => given.get(key))
    const odd = [...given.entries()].find(([key]) => !['function_name', 'callback', 'flags', 'description'].includes(String(key)))
    if (odd !== undefined) throw fail('unknown argument given to redis.register_function')
    if (typeof name !== 'string') throw fail('redis.register_function must get a function name argument')
    if (!(run instanceof LuaFunction)) throw fail('redis.register_function must get a callback argument')
    const flags = flagList instanceof LuaTable ? [...flagList.entries()].map(([, flag]) => String(flag)) : []
    if (flags.some((flag) => !FLAGS.has(flag))) throw fail('unknown flag given')
    return { name, run, flags, description: typeof description === 'string' ? description : undefined }
  }
}

/** `#!lua name=mylib`. @throws where it cannot be read */
function readHead(code: string): { readonly name: string; readonly bytes: number } {
  if (!code.startsWith('#!')) throw refuse('Missing library metadata')
  const end = code.indexOf('\n')
  if (end < 0) throw refuse('Invalid library metadata')
  const [engine = '', ...options] = code
    .slice(2, end)
    .split(/\s+/)
    .filter((part) => part !== '')
  let name: string | undefined
  for (const option of options) {
    if (!option.toLowerCase().startsWith('name=')) throw refuse(`Invalid metadata value given: ${option}`)
    if (name !== undefined) throw refuse('Invalid metadata value, name argument was given multiple times')
    name = option.slice(5)
  }
  if (name === undefined) throw refuse('Library name was not given')
  if (!NAME.test(name)) throw refuse(`Library ${WRONG_NAME}`)
  if (engine.toLowerCase() !== 'lua') throw refuse(`Engine '${engine}' not found`)
  return { name, bytes: end }
}
