/**
 * Where in the sources an option stands: line and column of the file, the variable, the flag.
 *
 * Floor 5, room server. Pure.
 */
import { type Document, isMap, isNode, isScalar, isSeq, type LineCounter } from 'yaml'
import { ForecacheError } from '../model/errors.ts'

/** A path of names and indexes. */
export type OptionPath = readonly (string | number)[]

/** An option whose very name is wrong. */
export interface NamePlace {
  readonly name: OptionPath
}

/** What was read, and where each value came from. */
export interface Sources {
  /** The file's name in errors. */
  readonly file: string
  /** Undefined when the options came as an object. */
  readonly document: Document | undefined
  readonly lines: LineCounter
  /** Variables and flags by the path they set, joined with dots. */
  readonly overrides: ReadonlyMap<string, string>
}

/**
 * @param place where a value is wrong, or a very name
 * @returns FC_CONFIG_VALUE with line and column, or FC_CONFIG_FILE naming the variable or flag
 */
export function configError(sources: Sources, place: OptionPath | NamePlace, reason: string): ForecacheError {
  const [path, at] = 'name' in place ? ([place.name, 'name'] as const) : ([place, 'value'] as const)
  const text = `${pathText(path)}: ${reason}`
  for (let length = path.length; length > 0; length -= 1) {
    const name = sources.overrides.get(path.slice(0, length).join('.'))
    if (name !== undefined) return new ForecacheError('FC_CONFIG_FILE', { file: name, reason: text })
  }
  if (sources.document === undefined) return new ForecacheError('FC_OPTION_VALUE', { name: pathText(path), reason })
  const { line, col } = sources.lines.linePos(offsetOf(sources.document, path, at))
  return new ForecacheError('FC_CONFIG_VALUE', { file: sources.file, line, column: col, reason: text })
}

/** `routes[2].key.query` */
export function pathText(path: OptionPath): string {
  let text = ''
  for (const part of path) text += typeof part === 'number' ? `[${part}]` : text === '' ? part : `.${part}`
  return text === '' ? 'configuration' : text
}

/** The reverse of `pathText`. */
export function parsePathText(text: string): OptionPath {
  return [...text.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map((match) => (match[1] === undefined ? match[0] : Number(match[1])))
}

/** Offset of the deepest part of the path that the file has. */
function offsetOf(document: Document, path: OptionPath, at: 'value' | 'name'): number {
  for (let length = path.length; length > 0; length -= 1) {
    const parent: unknown = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true)
    const place = placeIn(parent, path[length - 1] as string | number, at === 'value' && length === path.length)
    if (place !== undefined) return place
  }
  return isNode(document.contents) ? (document.contents.range?.[0] ?? 0) : 0
}

/** Offset of a member of a mapping or a list: of its value, else of its name. */
function placeIn(parent: unknown, name: string | number, value: boolean): number | undefined {
  if (isSeq(parent)) {
    const item = parent.items[Number(name)]
    return isNode(item) ? item.range?.[0] : undefined
  }
  if (!isMap(parent)) return undefined
  const pair = parent.items.find((item) => isScalar(item.key) && String(item.key.value) === String(name))
  if (pair === undefined) return undefined
  if (value && isNode(pair.value) && pair.value.range) return pair.value.range[0]
  return isNode(pair.key) ? pair.key.range?.[0] : undefined
}
