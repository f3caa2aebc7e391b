/** Prints a page of options from a zod schema: name, type, default, range, meaning. */
import { z } from 'zod'
import type { OptionMeta } from '../../src/model/option.ts'
import { code, page, table } from './table.ts'

interface Row {
  readonly path: string
  readonly type: string
  readonly otherwise: string
  readonly range: string
  readonly text: string
}

type Meta = Partial<OptionMeta>

/** A schema without what wraps it, and what the wrappers said. */
interface Unwrapped {
  readonly inner: z.core.$ZodType
  readonly meta: Meta
  readonly optional: boolean
  /** Turned into something else when it is parsed. */
  readonly parsed: boolean
  readonly value: unknown
}

const UNITS: Readonly<Record<string, string>> = { ms: 'duration', bytes: 'size' }

/** @returns the page */
export function printSchema(schema: z.ZodObject, about: { readonly title: string; readonly intro: string }): string {
  const rows = rowsOf(schema, '').map(({ path, type, otherwise, range, text }) => [code(path), type, otherwise, range, text])
  return page(about.title, [about.intro, table(['option', 'type', 'default', 'range', 'meaning'], rows)])
}

function rowsOf(schema: z.core.$ZodType, path: string): Row[] {
  const { inner, meta, optional, value } = unwrap(schema)
  if (inner instanceof z.ZodObject) {
    const rows = Object.entries(inner.shape).flatMap(([name, each]) => rowsOf(each, path === '' ? name : `${path}.${name}`))
    return path === '' || meta.description === undefined
      ? rows
      : [{ path, type: 'section', otherwise: '', range: '', text: meta.description }, ...rows]
  }
  const own = {
    path,
    type: typeOf(schema, meta),
    otherwise: defaultOf(meta, optional, value),
    range: rangeOf(inner),
    text: meta.description ?? '',
  }
  return inner instanceof z.ZodArray && unwrap(inner.element).inner instanceof z.ZodObject
    ? [own, ...rowsOf(inner.element, `${path}[]`)]
    : [own]
}

function unwrap(schema: z.core.$ZodType): Unwrapped {
  let inner = schema
  let meta: Meta = {}
  let optional = false
  let parsed = false
  let value: unknown
  for (;;) {
    meta = { ...(z.globalRegistry.get(inner) as Meta | undefined), ...meta }
    if (inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault) {
      value ??= inner.def.defaultValue
      inner = inner.def.innerType
    } else if (inner instanceof z.ZodOptional) {
      optional = true
      inner = inner.def.innerType
    } else if (inner instanceof z.ZodPipe) {
      parsed = true
      inner = inner.def.in
    } else return { inner, meta, optional, parsed, value }
  }
}

function typeOf(schema: z.core.$ZodType, meta: Meta = {}): string {
  const { inner, parsed } = unwrap(schema)
  if (inner instanceof z.ZodUnion && sameParts(inner, ['number', 'string']))
    return UNITS[meta.unit ?? ''] ?? meta.unit ?? 'number or text'
  if (inner instanceof z.ZodUnion) return [...new Set(inner.options.map((option) => typeOf(option, meta)))].join(' or ')
  if (inner instanceof z.ZodEnum) return inner.options.map((option) => code(String(option))).join(', ')
  if (inner instanceof z.ZodLiteral) return [...inner.values].map((one) => code(JSON.stringify(one))).join(', ')
  if (inner instanceof z.ZodArray) return `list of ${typeOf(inner.element)}`
  if (inner instanceof z.ZodRecord) return `${typeOf(inner.valueType)} by name`
  if (inner instanceof z.ZodCustom) return parsed ? 'budget' : 'object or function'
  if (inner instanceof z.ZodBoolean) return '`true`, `false`'
  if (inner instanceof z.ZodNumber) return meta.unit ?? 'number'
  if (inner instanceof z.ZodObject) return 'section'
  return 'text'
}

function sameParts(union: z.ZodUnion, types: readonly string[]): boolean {
  const given = union.options.map((option) => option._zod.def.type)
  return given.length === types.length && types.every((type) => (given as string[]).includes(type))
}

function defaultOf(meta: Meta, optional: boolean, value: unknown): string {
  if (meta.shown !== undefined) return code(meta.shown)
  if (value !== undefined) return code(JSON.stringify(value))
  return optional ? 'none' : 'required'
}

function rangeOf(inner: z.core.$ZodType): string {
  if (!(inner instanceof z.ZodNumber)) return ''
  const [min, max] = [inner.minValue, inner.maxValue].map((bound) => {
    return bound === null || !Number.isFinite(bound) || Math.abs(bound) >= Number.MAX_SAFE_INTEGER ? undefined : bound
  })
  if (min === undefined && max === undefined) return ''
  return max === undefined ? `at least ${min}` : min === undefined ? `at most ${max}` : `${min} to ${max}`
}
