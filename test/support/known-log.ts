/**
 * A synthetic access log whose truth is known: which parameters decide, how often answers change, how large they are.
 */
import type { Access } from '../../src/advice/access.ts'
import { createRandom, type Random } from '../../src/model/random.ts'

/** What is to be found for a route. */
export interface KnownRoute {
  readonly pattern: string
  readonly deciding: readonly string[]
  readonly irrelevant: readonly string[]
  /** Mean time between two changes of an answer, ms; Infinity: none. */
  readonly changeMs: number
}

interface Shape extends KnownRoute {
  readonly weight: number
  readonly ask: (random: Random, client: number) => Asked
}

interface Asked {
  readonly path: string
  readonly query: readonly (readonly [string, string | number])[]
  readonly traits?: readonly (readonly [string, string])[]
  /** What decides the answer, as text. */
  readonly by: string
  readonly bytes?: number
}

/** Wishes of a log. */
export interface KnownLogWish {
  readonly seed: number
  readonly lines: number
  /** Mean time between two requests, ms. */
  readonly everyMs: number
  /** Whether answers bear a digest; otherwise only their size tells them apart. */
  readonly digests: boolean
}

const SLUGS = ['red', 'lazy', 'tiny', 'cold', 'odd', 'warm', 'deep', 'flat']
const NOUNS = ['fox', 'lamp', 'desk', 'boat', 'song', 'tree', 'road', 'bird', 'clock', 'stone']
const AGENTS = ['Mozilla/5.0 (X11; Linux x86_64)', 'Mozilla/5.0 (iPhone)', 'curl/8.5', 'okhttp/4.12']
const START_MS = Date.UTC(2026, 2, 2)
const CLIENTS = 3000

/** Zipf over 1 to `most`, by inversion of the continuous law. */
function zipf(random: Random, most: number, skew: number): number {
  const top = (most + 1) ** (1 - skew) - 1
  return Math.min(most, Math.floor((random() * top + 1) ** (1 / (1 - skew))))
}

const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
const MINUTE = 60_000

/** Every route and its truth. */
export const KNOWN_ROUTES: readonly Shape[] = [
  {
    pattern: '/api/products/:id',
    weight: 40,
    deciding: ['?currency'],
    irrelevant: ['?_', '?ref', '?(tracking)'],
    changeMs: 60 * MINUTE,
    ask: (random) => {
      const id = 1000 + zipf(random, 2000, 0.9)
      const currency = pick(random, ['EUR', 'EUR', 'EUR', 'USD', 'GBP'])
      const query: [string, string | number][] = [['currency', currency]]
      if (random() < 0.3) query.push(['_', Math.floor(random() * 1e12)])
      if (random() < 0.4) query.push(['ref', pick(random, ['home', 'list', 'mail'])])
      if (random() < 0.2) query.push(['utm_source', pick(random, ['x', 'y'])])
      if (random() < 0.3) query.reverse()
      return { path: `/api/products/${id}`, query, by: `${id} ${currency}` }
    },
  },
  {
    pattern: '/api/search',
    weight: 25,
    deciding: ['?q', '?page', '?sort'],
    irrelevant: ['?sid', '?rid'],
    changeMs: 30 * MINUTE,
    ask: (random, client) => {
      const word = zipf(random, 400, 1.1)
      const page = zipf(random, 4, 1.5)
      const sort = pick(random, ['price', 'name', 'price'])
      const query: [string, string | number][] = [
        ['q', `w${word}`],
        ['page', page],
        ['sort', sort],
        ['sid', `s${client}`],
      ]
      query.push(['rid', Math.floor(random() * 1e12)])
      return { path: '/api/search', query, by: `${word} ${page} ${sort}` }
    },
  },
  {
    pattern: '/articles/:id',
    weight: 15,
    deciding: ['header:accept-language'],
    irrelevant: ['?share', 'cookie:theme'],
    changeMs: Number.POSITIVE_INFINITY,
    ask: (random) => {
      const n = zipf(random, 600, 0.8)
      const slug = `${SLUGS[n % 8]}-${NOUNS[n % 10]}-${SLUGS[(n >> 3) % 8]}-${NOUNS[(n >> 4) % 10]}-${NOUNS[(n >> 6) % 10]}`
      const language = pick(random, ['de', 'en', 'fr'])
      const traits: [string, string][] = [
        ['header:accept-language', language],
        ['cookie:theme', pick(random, ['dark', 'light'])],
      ]
      return {
        path: `/articles/${slug}`,
        query: random() < 0.3 ? [['share', pick(random, ['a', 'b', 'c'])]] : [],
        traits,
        by: `${slug} ${language}`,
      }
    },
  },
  {
    pattern: '/api/prices',
    weight: 15,
    deciding: ['?symbol'],
    irrelevant: ['?t'],
    changeMs: 10_000,
    ask: (random) => {
      const symbol = zipf(random, 30, 0.8)
      return {
        path: '/api/prices',
        query: [
          ['symbol', `S${symbol}`],
          ['t', Math.floor(random() * 1e12)],
        ],
        by: `${symbol}`,
      }
    },
  },
  {
    pattern: '/api/users/:id/orders',
    weight: 5,
    deciding: [],
    irrelevant: [],
    changeMs: Number.POSITIVE_INFINITY,
    ask: (random) => {
      const user = Math.floor(random() * 5_000_000)
      return { path: `/api/users/${user}/orders`, query: [], by: `${user}` }
    },
  },
  {
    pattern: '/api/account',
    weight: 5,
    deciding: ['user'],
    irrelevant: ['?v'],
    changeMs: Number.POSITIVE_INFINITY,
    ask: (random, client) => ({
      path: '/api/account',
      query: random() < 0.5 ? [['v', pick(random, ['1', '2'])]] : [],
      traits: [['user', `u${client}`]],
      by: `u${client}`,
    }),
  },
  {
    pattern: '/downloads/:id',
    weight: 1,
    deciding: [],
    irrelevant: ['?from'],
    changeMs: Number.POSITIVE_INFINITY,
    ask: (random) => {
      const n = 100 + Math.floor(random() * 40)
      return {
        path: `/downloads/report-${n}.pdf`,
        query: [['from', pick(random, ['web', 'app'])]],
        by: `${n}`,
        bytes: 2_000_000 + n * 1111,
      }
    },
  },
]

/** The log, request by request. The same wish gives the same log. */
export function* knownLog({ seed, lines, everyMs, digests }: KnownLogWish): Generator<Access> {
  const random = createRandom(seed)
  const total = KNOWN_ROUTES.reduce((sum, { weight }) => sum + weight, 0)
  let atMs = START_MS
  for (let line = 0; line < lines; line += 1) {
    atMs += -Math.log(1 - random()) * everyMs
    let place = random() * total
    const shape = KNOWN_ROUTES.find(({ weight }) => (place -= weight) < 0) ?? (KNOWN_ROUTES[0] as Shape)
    const client = zipf(random, CLIENTS, 0.6)
    const asked = shape.ask(random, client)
    const { path, query, traits = [], by } = asked
    const version =
      shape.changeMs === Number.POSITIVE_INFINITY ? 0 : Math.floor((atMs + fingerprint(by) * shape.changeMs) / shape.changeMs)
    const content = fingerprint(`${shape.pattern} ${by} ${version}`)
    yield {
      atMs: Math.round(atMs),
      method: 'GET',
      target: query.length === 0 ? path : `${path}?${query.map(([name, value]) => `${name}=${value}`).join('&')}`,
      status: 200,
      bytes: asked.bytes ?? 500 + Math.floor(content * 20_000),
      client: `10.0.${client >> 8}.${client & 255}`,
      digest: digests ? `"${content.toString(36)}"` : '',
      traits: [['header:user-agent', AGENTS[client % AGENTS.length] as string], ...traits],
    }
  }
}

/** A line of a log in the combined format; fields that it does not have are lost. */
export function combinedLine({ client, atMs, method, target, status, bytes, traits }: Access): string {
  const agent = traits.find(([name]) => name === 'header:user-agent')?.[1] ?? '-'
  const user = traits.find(([name]) => name === 'user')?.[1] ?? '-'
  return `${client} - ${user} [${logTime(atMs)}] "${method} ${target} HTTP/1.1" ${status} ${bytes} "-" "${agent}"`
}

/** A line of JSON. */
export function jsonLine({ client, atMs, method, target, status, bytes, digest, traits }: Access): string {
  const named = (kind: string): object =>
    Object.fromEntries(traits.filter(([name]) => name.startsWith(kind)).map(([name, value]) => [name.slice(kind.length), value]))
  const user = traits.find(([name]) => name === 'user')?.[1]
  const [headers, cookies] = [named('header:'), named('cookie:')]
  return JSON.stringify({
    time: atMs / 1000,
    client,
    method,
    target,
    status,
    bytes,
    ...(digest !== '' && { etag: digest }),
    headers,
    cookies,
    user,
  })
}

function logTime(atMs: number): string {
  const [, day, month, year, time] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(new Date(atMs).toUTCString()) as RegExpExecArray
  return `${day}/${month}/${year}:${time} +0000`
}

/** 0 to 1. */
function fingerprint(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296
}
