/**
 * The shape of a URL and what of it is carried over to the next one: `/users/42` is followed by `/orders?user=42`, whoever 42 is.
 *
 * Floor 3, room flow. Pure. What holds a digit is a value, all else is the shape; hashes of persisted queries and the name of a
 * GraphQL operation say what is asked for and belong to the shape. A successor's values are told by those of its
 * predecessor: the same, one more (the next page), or one that stood in the predecessor's body at a certain place
 * (a list and its details); all others stand as they are.
 */
import type { Mentions } from './prefetch-mentions.ts'

/** A URL taken apart. */
export interface Shape {
  /** The URL with a mark for each value. */
  readonly text: string
  /** In order of first appearance, each once. */
  readonly values: readonly string[]
}

/** A whole SHA-256, or a run of letters and digits. */
const TOKEN = /[0-9A-Za-z]+/g
const HASH = /^[0-9a-f]{64}$/
const PERCENT = /%[0-9A-Fa-f]{2}/g
const OPERATION = /([?&]operationName=)([^&]*)/
const PIECES = /([/?&=])/
const MAX_VALUES = 16
/** Marks no URL holds. */
const SAME = '\u0001'
const MORE = '\u0002'
const MENTIONED = '\u0003'
// oxlint-disable-next-line no-control-regex -- marks are control characters, which no URL holds
const MARKS = /([\u0001\u0002])(\d+);|\u0003([^\u0003]*)\u0003/g
const SMALL = /^[1-9]\d{0,8}$/

/** Takes a URL apart. @param url `scheme://authority/path?query` */
export function shapeOf(url: string): Shape {
  const values: string[] = []
  const text = eachToken(url, (token) => {
    if (!isValue(token)) return token
    if (!values.includes(token) && values.length < MAX_VALUES) values.push(token)
    return SAME
  })
  return { text, values }
}

/** The next URL as told by its predecessor. @param mentions what stood in the predecessor's body */
export function templateOf(url: string, { values }: Shape, mentions: Mentions | undefined): string {
  const told = mentions === undefined ? url : markMentioned(url, values, mentions)
  return eachToken(told, (token) => {
    if (!isValue(token)) return token
    const at = values.indexOf(token)
    if (at >= 0) return `${SAME}${at};`
    const before = SMALL.test(token) ? values.indexOf(String(Number(token) - 1)) : -1
    return before < 0 ? token : `${MORE}${before};`
  })
}

/** Whether something of it was told by a body. */
export function isMentioning(template: string): boolean {
  return template.includes(MENTIONED)
}

/** The URL that a template names behind another predecessor; undefined where that has not what it takes. */
export function urlFrom(template: string, { values }: Shape, mentions: Mentions | undefined): string | undefined {
  let url = ''
  let at = 0
  for (const { 0: mark, 1: kind, 2: place, 3: mentioned, index } of template.matchAll(MARKS)) {
    const value = kind === undefined ? mentions?.values.get(mentioned ?? '') : values[Number(place)]
    const told = kind === MORE && value !== undefined ? oneMore(value) : value
    if (told === undefined) return undefined
    url += template.slice(at, index) + told
    at = index + mark.length
  }
  return url + template.slice(at)
}

function oneMore(value: string): string | undefined {
  return SMALL.test(value) ? String(Number(value) + 1) : undefined
}

/** Whole pieces of path and query alone: an identifier need not hold a digit. */
function markMentioned(url: string, values: readonly string[], { places }: Mentions): string {
  const start = startOf(url)
  const pieces = url.slice(start).split(PIECES)
  const marked = pieces.map((piece) => {
    const place = values.includes(piece) ? undefined : places.get(piece)
    return place === undefined ? piece : `${MENTIONED}${place}${MENTIONED}`
  })
  return url.slice(0, start) + marked.join('')
}

function isValue(token: string): boolean {
  return /\d/.test(token) && token.length <= 64 && !HASH.test(token)
}

/** Of path and query; what is percent-encoded, marked or named by the operation stays as it is. */
function eachToken(url: string, of: (token: string) => string): string {
  const start = startOf(url)
  const rest = url.slice(start)
  const named = OPERATION.exec(rest)
  if (named === null) return url.slice(0, start) + between(rest, of)
  const from = named.index + (named[1] as string).length
  const to = from + (named[2] as string).length
  return url.slice(0, start) + between(rest.slice(0, from), of) + rest.slice(from, to) + between(rest.slice(to), of)
}

function between(text: string, of: (token: string) => string): string {
  let done = ''
  let at = 0
  for (const { 0: fixed, index } of text.matchAll(FIXED)) {
    done += text.slice(at, index).replace(TOKEN, of) + fixed
    at = index + fixed.length
  }
  return done + text.slice(at).replace(TOKEN, of)
}

const FIXED = new RegExp(`${PERCENT.source}|\u0003[^\u0003]*\u0003`, 'g')

/** Where the path begins. */
function startOf(url: string): number {
  const scheme = url.indexOf('://')
  return scheme < 0 ? 0 : Math.max(0, url.indexOf('/', scheme + 3))
}
