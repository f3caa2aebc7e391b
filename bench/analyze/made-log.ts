/**
 * A log of routes whose truth is known, request by request: parameters in any order, twice, or spelled otherwise, and the noise
 * of every log. The same wish gives the same log.
 */
import type { Access } from '../../src/advice/access.ts'
import { createRandom, type Random } from '../../src/model/random.ts'
import { makeRoutes, type MadeParameter, type MadeRoute } from './made-routes.ts'

/** What a log is to be like. */
export interface MadeLogWish {
  readonly seed: number
  readonly lines: number
  /** Whether fields, cookies, users and digests are told, as a log in JSON may; otherwise sizes alone tell answers apart. */
  readonly isRich: boolean
}

/** A request with what is known of it. */
export interface MadeAccess extends Access {
  readonly route: MadeRoute
  /** By place of the route's parameters; '' was not sent. */
  readonly values: readonly string[]
  /** What decided the answer. */
  readonly content: number
}

/** See the module's header. */
export interface MadeLog {
  readonly routes: readonly MadeRoute[]
  requests(): Generator<MadeAccess>
}

const START_MS = Date.UTC(2026, 2, 2)
const CLIENTS = 2000
const NOISE = { failed: 0.01, missing: 0.01, written: 0.02, head: 0.01, notModified: 0.03 }
const AGENTS = ['Mozilla/5.0 (X11; Linux x86_64)', 'Mozilla/5.0 (iPhone)', 'curl/8.5', 'okhttp/4.12']

export function makeLog(wish: MadeLogWish): MadeLog {
  const routes = makeRoutes(wish.seed, wish.isRich)
  return { routes, requests: () => requestsOf(wish, routes) }
}

function* requestsOf({ seed, lines, isRich }: MadeLogWish, routes: readonly MadeRoute[]): Generator<MadeAccess> {
  const random = createRandom(seed + 1_000_000)
  const everyMs = 5 * 10 ** (random() * 1.5)
  const isPermuted = random() < 0.5
  const total = routes.reduce((sum, { weight }) => sum + weight, 0)
  let atMs = START_MS
  for (let line = 0; line < lines; line += 1) {
    atMs += -Math.log(1 - random()) * everyMs
    let place = random() * total
    const route = routes.find(({ weight }) => (place -= weight) < 0) ?? (routes[0] as MadeRoute)
    const client = zipf(random, CLIENTS, 0.6)
    const { target, traits, by, values } = ask(route, { random, client, isPermuted })
    const version = Number.isFinite(route.changeMs) ? Math.floor(atMs / route.changeMs + printOf(by)) : 0
    const content = printOf(`${route.pattern} ${by} ${version}`)
    const answer = spoil({ random, target, bytes: 200 + Math.floor(content * 30_000) })
    const isWhole = answer.method === 'GET' && answer.status === 200
    yield {
      ...answer,
      route,
      values,
      content,
      atMs: isRich ? Math.round(atMs) : Math.floor(atMs / 1000) * 1000,
      client: `10.0.${client >> 8}.${client & 255}`,
      digest: isRich && (isWhole || answer.status === 304) ? `"${content.toString(36)}"` : '',
      traits: [
        ...(isRich && route.isPersonal ? ([['user', `u${client}`]] as const) : []),
        ['header:user-agent', AGENTS[client % AGENTS.length] as string],
        ...traits,
      ],
    }
  }
}

interface Asked {
  readonly target: string
  readonly traits: readonly (readonly [string, string])[]
  /** What decides the answer. */
  readonly by: string
  readonly values: readonly string[]
}

interface Asking {
  readonly random: Random
  readonly client: number
  readonly isPermuted: boolean
}

function ask(route: MadeRoute, { random, client, isPermuted }: Asking): Asked {
  const path = route.path(zipf(random, route.paths, route.skew) - 1)
  const values: string[] = []
  const sent: string[] = []
  const pairs: string[] = []
  const traits: (readonly [string, string])[] = []
  let by = route.isPersonal ? `${path} for ${client}` : path
  for (const parameter of route.parameters) {
    const value = valueOf(parameter, { random, client, values })
    values.push(value)
    const isSent = parameter.presence === 1 || random() < parameter.presence
    if (parameter.isDeciding) by += ` ${parameter.name}=${isSent ? value : valueAt(parameter, 1)}`
    sent.push(isSent ? value : '')
    if (!isSent) continue
    if (parameter.name.startsWith('?')) pairs.push(`${parameter.name.slice(1)}=${spell(random, value)}`)
    else traits.push([parameter.name, value])
  }
  if (isPermuted && random() < 0.4) pairs.reverse()
  return { target: pairs.length === 0 ? path : `${path}?${pairs.join('&')}`, traits, by, values: sent }
}

function valueOf(
  parameter: MadeParameter,
  { random, client, values }: Omit<Asking, 'isPermuted'> & { values: string[] },
): string {
  if (parameter.values === 'client') return `s${client}`
  if (parameter.values === Number.POSITIVE_INFINITY) return String(Math.floor(random() * 1e12))
  const followed = parameter.follows === undefined ? undefined : values[parameter.follows]
  if (followed !== undefined && random() < 0.8) return followed
  return valueAt(parameter, zipf(random, parameter.values, parameter.skew))
}

function valueAt({ name }: MadeParameter, place: number): string {
  return `${name.at(-1)}~v ${place}`
}

/** Spellings that RFC 3986 section 6.2.2 calls the same. */
function spell(random: Random, value: string): string {
  const text = encodeURIComponent(value)
  return random() < 0.02 ? text.replace('v', '%76').replace('~', random() < 0.5 ? '%7E' : '%7e') : text
}

/** What no log is without. */
function spoil({
  random,
  target,
  bytes,
}: {
  random: Random
  target: string
  bytes: number
}): Pick<Access, 'method' | 'target' | 'status' | 'bytes'> {
  let dice = random()
  const is = (share: number): boolean => (dice -= share) < 0
  if (is(NOISE.failed)) return { method: 'GET', target, status: 503, bytes: 40 }
  if (is(NOISE.missing)) return { method: 'GET', target: target.replace(/(\?|$)/, '/none$1'), status: 404, bytes: 9 }
  if (is(NOISE.written)) return { method: 'POST', target, status: 201, bytes: 12 }
  if (is(NOISE.head)) return { method: 'HEAD', target, status: 200, bytes: 0 }
  if (is(NOISE.notModified)) return { method: 'GET', target, status: 304, bytes: 0 }
  return { method: 'GET', target, status: 200, bytes }
}

/** 1 to `most`, by inversion of the continuous law. */
export function zipf(random: Random, most: number, skew: number): number {
  const power = Math.abs(skew - 1) < 0.01 ? 1.01 : skew
  const top = (most + 1) ** (1 - power) - 1
  return Math.min(most, Math.floor((random() * top + 1) ** (1 / (1 - power))))
}

/** 0 to 1. */
function printOf(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296
}
