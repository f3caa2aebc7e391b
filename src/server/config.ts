/**
 * Reads the configuration: flags beat environment beat file; the first mistake is named with its place.
 *
 * Floor 5, room server. Nothing is guessed: unknown names, doubled names and values out of range are refused.
 */
import { readFileSync } from 'node:fs'
import { type Document, LineCounter, parse as parseYaml, parseDocument, visit } from 'yaml'
import type { z } from 'zod'
import { DEFAULT_LIMITS, resolvePolicies } from '../http/policy.ts'
import { type Budget, DEFAULT_CONTEXTS } from '../model/budget.ts'
import { ForecacheError } from '../model/errors.ts'
import { configError, type OptionPath, parsePathText, type Sources } from './config-place.ts'
import { CONFIG, type Config } from './config-schema.ts'
import { nearestName } from './nearest.ts'

/** Where options come from. */
export interface ConfigSources {
  /** YAML (or JSON) text of the file; none when there is no file. */
  readonly text?: string
  /** The sections as an object, instead of text: the library's way in. Errors are FC_OPTION_VALUE with the path. */
  readonly values?: unknown
  /** The file's name in errors. */
  readonly file?: string
  /** Environment: FORECACHE_SECTION_OPTION. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Values by path, such as `{'origin.url': 'http://…'}`; the flag's name in errors is `--` and the path. */
  readonly flags?: Readonly<Record<string, unknown>>
}

/** @throws FC_CONFIG_FILE when the file cannot be read; see `parseConfig` */
export function readConfig(path: string | undefined, sources: Omit<ConfigSources, 'text' | 'file'> = {}): Config {
  if (path === undefined) return parseConfig(sources)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new ForecacheError('FC_CONFIG_FILE', { file: path, reason }, { cause: error })
  }
  return parseConfig({ ...sources, text, file: path })
}

/** @throws FC_CONFIG_SYNTAX, FC_CONFIG_VALUE with line and column; FC_CONFIG_FILE for variables and flags */
export function parseConfig(given: ConfigSources): Config {
  const file = given.file ?? 'configuration'
  const lines = new LineCounter()
  const document = parseDocument(given.text ?? '', { lineCounter: lines, uniqueKeys: true, merge: true, prettyErrors: false })
  const [wrong] = [...document.errors, ...document.warnings]
  if (wrong !== undefined) {
    const { line, col } = lines.linePos(wrong.pos[0])
    throw new ForecacheError('FC_CONFIG_SYNTAX', { file, line, column: col, reason: wrong.message })
  }
  const overrides = new Map<string, string>()
  const tree: unknown = given.values === undefined ? readTree(document, { file, lines }) : copyOf(given.values)
  const sources: Sources = { file, document: given.values === undefined ? document : undefined, lines, overrides }
  if (!isRecord(tree)) throw configError(sources, [], 'expected a mapping of sections')
  applyEnvironment(tree, given.env ?? {}, overrides)
  for (const [path, value] of Object.entries(given.flags ?? {})) {
    if (value !== undefined) put(tree, { path: parsePathText(path), value, name: `--${path}` }, overrides)
  }
  if (tree.resp === undefined) tree.origin ??= {} // then what is missing is named
  const parsed = CONFIG.safeParse(tree)
  if (!parsed.success) throw issueError(sources, firstIssue(parsed.error.issues))
  const routes = (tree.routes ?? []) as Config['routes']
  checkRoutes(sources, routes, parsed.data.contexts)
  return { ...parsed.data, routes, contexts: (tree.contexts ?? {}) as Config['contexts'] }
}

/** The document as plain data; aliases are resolved here, a bounded number of them. */
function readTree(document: Document, { file, lines }: { readonly file: string; readonly lines: LineCounter }): unknown {
  let at = 0
  visit(document, { Alias: (_, alias) => void (at = alias.range?.[0] ?? 0) })
  try {
    return document.toJS({ maxAliasCount: 100 }) ?? {}
  } catch (error) {
    const { line, col } = lines.linePos(at)
    const reason = error instanceof Error ? error.message : String(error)
    throw new ForecacheError('FC_CONFIG_SYNTAX', { file, line, column: col, reason }, { cause: error })
  }
}

/** A misspelt name is told before what is missing because of it. */
function firstIssue(issues: readonly z.core.$ZodIssue[]): z.core.$ZodIssue {
  return issues.find((issue) => issue.code === 'unrecognized_keys') ?? (issues[0] as z.core.$ZodIssue)
}

/** What a schema cannot tell: doubled names, patterns that collide, tags with parameters the path does not have. */
function checkRoutes(sources: Sources, routes: Config['routes'], contexts: Readonly<Record<string, Budget>>): void {
  try {
    resolvePolicies(routes, { contexts: { ...DEFAULT_CONTEXTS, ...contexts }, limits: DEFAULT_LIMITS })
  } catch (error) {
    if (!(error instanceof ForecacheError)) throw error
    const [, name = '', ...rest] = String(error.detail.name ?? 'routes').split('.')
    const index = routes.findIndex((route) => route.name === name)
    throw configError(sources, index < 0 ? ['routes'] : ['routes', index, ...rest], withoutCode(error.message))
  }
}

/** Our own texts inside a larger one: without code and path, which the place tells. */
function withoutCode(message: string): string {
  return message.replace(/^FC_[A-Z_]+: (?:duration|size|budget|routes\S*): /, '').replace(/^FC_[A-Z_]+: /, '')
}

/** One issue of zod in our words, at its place. */
function issueError(sources: Sources, issue: z.core.$ZodIssue): ForecacheError {
  const path = issue.path.map((part) => (typeof part === 'number' ? part : String(part)))
  if (issue.code === 'unrecognized_keys') {
    const name = String(issue.keys[0])
    const known = namesAt(path)
    const nearest = nearestName(name, known)
    const hint =
      nearest === undefined ? (known.length === 0 ? '' : `; known here: ${known.join(', ')}`) : `; did you mean ${nearest}?`
    return configError(sources, { name: [...path, name] }, `unknown name${hint}`)
  }
  const deepest = issue.code === 'invalid_union' ? deepestIssue(issue, path) : { path, message: issue.message }
  const missing = issue.code === 'invalid_type' && issue.input === undefined && /received undefined/.test(issue.message)
  return configError(sources, deepest.path, missing ? `is needed (${issue.message})` : withoutCode(deepest.message))
}

function deepestIssue(issue: z.core.$ZodIssueInvalidUnion, path: OptionPath): { path: OptionPath; message: string } {
  let best: { path: OptionPath; message: string } = { path, message: issue.message }
  for (const branch of issue.errors) {
    for (const one of branch) {
      const deeper = [...path, ...one.path.map((part) => (typeof part === 'number' ? part : String(part)))]
      if (deeper.length > best.path.length) best = { path: deeper, message: one.message }
    }
  }
  return best
}

/** Names of the section at a path. */
function namesAt(path: OptionPath): string[] {
  let schema: unknown = CONFIG
  for (const part of path) {
    const open = unwrap(schema)
    schema =
      typeof part === 'number'
        ? (open as { element?: unknown })?.element
        : (open as { shape?: Record<string, unknown> })?.shape?.[part]
  }
  return Object.keys((unwrap(schema) as { shape?: Record<string, unknown> } | undefined)?.shape ?? {})
}

/** The schema without its defaults and optionality. */
export function unwrap(schema: unknown): unknown {
  let inner = schema
  for (;;) {
    const { innerType, in: input } = ((inner as z.core.$ZodType | undefined)?._zod.def ?? {}) as {
      innerType?: unknown
      in?: unknown
    }
    const next = innerType ?? input
    if (next === undefined) return inner
    inner = next
  }
}

/** FORECACHE_ORIGIN_URL → origin.url; variables whose first word is no section are not ours. */
function applyEnvironment(
  tree: Record<string, unknown>,
  env: NonNullable<ConfigSources['env']>,
  overrides: Map<string, string>,
): void {
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('FORECACHE_') || value === undefined || value === '') continue
    const words = name.slice('FORECACHE_'.length).toLowerCase()
    const section = Object.keys(CONFIG.shape).find((one) => words === snake(one) || words.startsWith(`${snake(one)}_`))
    if (section === undefined) continue
    const names = namesAt([section])
    const rest = words.slice(snake(section).length + 1)
    const option = names.find((one) => snake(one) === rest)
    if (rest === '' ? names.length > 0 : option === undefined) {
      const nearest = nearestName(rest, names.map(snake))
      const hint =
        nearest === undefined
          ? `known: ${names.map(snake).join(', ')}`
          : `did you mean FORECACHE_${`${snake(section)}_${nearest}`.toUpperCase()}?`
      throw new ForecacheError('FC_CONFIG_FILE', { file: name, reason: `no such option; ${hint}` })
    }
    const path = option === undefined ? [section] : [section, option]
    put(tree, { path, value: readVariable(value, path), name }, overrides)
  }
}

/** One option that a variable or a flag sets. */
interface Setting {
  readonly path: OptionPath
  readonly value: unknown
  /** Of the variable or flag, for errors. */
  readonly name: string
}

/** Numbers, booleans and lists as YAML reads them; a list also as words with commas between. */
function readVariable(value: string, path: OptionPath): unknown {
  const text = value.trim()
  if (isList(path) && !text.startsWith('[')) return text.split(',').map((word) => word.trim())
  if (!/^(?:[[{]|-?\d+(?:\.\d+)?$|true$|false$)/.test(text)) return value
  try {
    return parseYaml(text) as unknown
  } catch {
    return value
  }
}

function isList(path: OptionPath): boolean {
  let schema: unknown = CONFIG
  for (const part of path) schema = (unwrap(schema) as { shape?: Record<string, unknown> })?.shape?.[String(part)]
  return (unwrap(schema) as z.core.$ZodType | undefined)?._zod.def.type === 'array'
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function put(tree: Record<string, unknown>, setting: Setting, overrides: Map<string, string>): void {
  const { path, value, name } = setting
  let at = tree
  for (const part of path.slice(0, -1)) {
    const next = at[String(part)]
    const child = isRecord(next) ? next : {}
    at[String(part)] = child
    at = child
  }
  at[String(path.at(-1))] = value
  overrides.set(path.join('.'), name)
}

/** A copy of the two upper levels, the ones that defaults and flags are put into. */
function copyOf(given: unknown): unknown {
  if (!isRecord(given)) return given
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, isRecord(value) ? { ...value } : value]))
}

function isRecord(given: unknown): given is Record<string, unknown> {
  return typeof given === 'object' && given !== null && !Array.isArray(given)
}
