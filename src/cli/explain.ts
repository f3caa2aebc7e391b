/**
 * `forecache explain`: what a running forecache says of one request, as lines for people or as JSON.
 *
 * Floor 6, room cli. The administration's answer is printed as it is, so that nothing it says is left out here.
 */
import { type ApiPlace, callApi } from './api.ts'
import { type Io, renderTable } from './io.ts'

/** What is to be explained. */
export interface ExplainWish extends ApiPlace {
  readonly json: boolean
  /** A URL, a path of the gateway, or a key. */
  readonly subject: string
  /** Headers of the request, as `name: value`. */
  readonly header: readonly string[]
}

/** @returns the exit code @throws FC_CLI_API */
export async function runExplain(wish: ExplainWish, io: Io): Promise<number> {
  const name = /^(https?:\/\/|\/)/i.test(wish.subject) ? 'url' : 'key'
  const query = new URLSearchParams([[name, wish.subject], ...wish.header.map((line) => ['header', line])])
  const answer = await callApi(wish, `/v1/explain?${query}`)
  io.out(wish.json ? JSON.stringify(answer) : renderTree(answer))
  return 0
}

/** A JSON value as indented lines; lists of equal objects as tables. */
export function renderTree(value: unknown, indent = ''): string {
  if (!isObject(value)) return `${indent}${show(value)}`
  if (Array.isArray(value) && value.every((one) => !isObject(one))) return value.map((one) => `${indent}${show(one)}`).join('\n')
  const entries = Object.entries(value)
  const width = Math.max(0, ...entries.filter(([, inner]) => isShort(inner)).map(([name]) => name.length))
  return entries
    .map(([name, inner]) => {
      if (isShort(inner)) return `${indent}${name.padEnd(width)}  ${show(inner)}`
      const table = Array.isArray(inner) ? asTable(inner) : undefined
      const below = table === undefined ? renderTree(inner, `${indent}  `) : table.replace(/^/gm, `${indent}  `)
      return `${indent}${name}\n${below}`
    })
    .join('\n')
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

function isShort(value: unknown): boolean {
  if (!isObject(value)) return true
  if (!Array.isArray(value)) return Object.keys(value).length === 0
  return value.every((one) => !isObject(one)) && String(value).length <= 100
}

function show(value: unknown): string {
  if (value === null || value === undefined) return '–'
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(show).join(', ')
  if (typeof value === 'object') return 'none'
  if (typeof value === 'number' && !Number.isInteger(value)) return String(Number(value.toPrecision(4)))
  return String(value)
}

function asTable(list: readonly unknown[]): string | undefined {
  const [first] = list
  if (!isObject(first) || Array.isArray(first)) return undefined
  const head = Object.keys(first)
  const isFlat = list.every((one) => isObject(one) && Object.values(one).every((cell) => !isObject(cell) || Array.isArray(cell)))
  if (!isFlat) return undefined
  return renderTable([head, ...list.map((one) => head.map((name) => show((one as Record<string, unknown>)[name])))])
}
