/**
 * Routes drawn by a seed, with everything that is to be found out about them: what decides their answers, what does not, how
 * often they change.
 */
import { createRandom, type Random } from '../../src/model/random.ts'

/** What a parameter does, and how it is sent. */
export interface MadeParameter {
  /** As analyze names it: `?sort`, `header:accept-language`, `cookie:theme`. */
  readonly name: string
  readonly isDeciding: boolean
  /** Different values; 1: constant; Infinity: another one each time; `client`: one for each client. */
  readonly values: number | 'client'
  /** Zipf's exponent over its values. */
  readonly skew: number
  /** Share of the requests that bear it; without it, deciding ones count as their first value. */
  readonly presence: number
  /** Place of another parameter of the route whose value it mostly follows. */
  readonly follows: number | undefined
}

/** See the module's header. */
export interface MadeRoute {
  readonly pattern: string
  /** Share of the requests, against those of the others. */
  readonly weight: number
  /** Different paths; 1: the pattern is the path. */
  readonly paths: number
  readonly skew: number
  readonly parameters: readonly MadeParameter[]
  /** Between two changes of an answer, ms; Infinity: none. */
  readonly changeMs: number
  /** Answers are made for whoever asks. */
  readonly isPersonal: boolean
  readonly path: (place: number) => string
}

const NOUNS = ['products', 'users', 'articles', 'orders', 'stores', 'prices', 'events', 'media', 'tags', 'offers', 'reviews']
const WORDS = ['red', 'lazy', 'tiny', 'cold', 'odd', 'warm', 'deep', 'flat', 'fox', 'lamp', 'desk', 'boat', 'song', 'tree']
/** Some names are drawn for several routes, and decide on some of them only. */
const NAMES = ['page', 'sort', 'lang', 'ref', 'v', 'filter', 'q', 'Limit', 'fields', 'from', 'theme', 'x-y', 'a_b', 'tag']
const BUSTERS = ['_', 'rnd', 'nocache', 'ts']
const HEADERS = ['accept-language', 'x-country', 'x-device', 'x-app-version']
const COOKIES = ['theme', 'variant', 'region']
const MINUTE = 60_000
const CHANGES = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 120 * MINUTE, 30 * MINUTE, 5 * MINUTE, MINUTE, 20_000]

const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
const between = (random: Random, low: number, high: number): number => low + Math.floor(random() * (high - low + 1))

/** @param hasTraits whether the log tells fields and cookies of requests */
export function makeRoutes(seed: number, hasTraits: boolean): MadeRoute[] {
  const random = createRandom(seed)
  const nouns = NOUNS.toSorted(() => random() - 0.5)
  return Array.from({ length: between(random, 2, 8) }, (_, at) => makeRoute(random, nouns[at] as string, hasTraits))
}

function makeRoute(random: Random, noun: string, hasTraits: boolean): MadeRoute {
  const shape = pick(random, ['plain', 'id', 'id', 'slug', 'nested'])
  const isPersonal = hasTraits && random() < 0.12
  const paths = shape === 'plain' ? 1 : isPersonal ? between(random, 12, 30) : Math.round(10 ** (1.3 + random() * 2))
  const patterns = { plain: `/api/${noun}`, id: `/api/${noun}/:id`, slug: `/${noun}/:id`, nested: `/v1/${noun}/:id/details` }
  return {
    pattern: patterns[shape as keyof typeof patterns],
    weight: 1 + Math.floor(random() * 10),
    paths,
    skew: 0.5 + random() * 0.8,
    parameters: makeParameters(random, hasTraits),
    changeMs: pick(random, CHANGES),
    isPersonal,
    path: (place) =>
      patterns[shape as keyof typeof patterns].replace(':id', shape === 'slug' ? slugOf(place) : String(1000 + place * 7)),
  }
}

function makeParameters(random: Random, hasTraits: boolean): MadeParameter[] {
  const names = NAMES.toSorted(() => random() - 0.5).map((name) => `?${name}`)
  const traits = [...HEADERS.map((name) => `header:${name}`), ...COOKIES.map((name) => `cookie:${name}`)]
  const all: MadeParameter[] = []
  const add = (given: Partial<MadeParameter> & Pick<MadeParameter, 'name' | 'isDeciding'>): void => {
    all.push({ values: 2, skew: random() * 1.2, presence: 1, follows: undefined, ...given })
  }
  const presence = (): number => pick(random, [1, 1, 0.6, 0.3, 0.1])
  for (let more = between(random, 0, 3); more > 0; more -= 1)
    add({
      name: names.pop() as string,
      isDeciding: true,
      values: between(random, 2, pick(random, [3, 8, 30])),
      presence: presence(),
    })
  for (let more = between(random, 0, 3); more > 0; more -= 1) {
    const values = between(random, 2, pick(random, [3, 8, 200]))
    const follows = all.length > 0 && random() < 0.2 ? Math.floor(random() * all.length) : undefined
    add({ name: names.pop() as string, isDeciding: false, values, presence: presence(), follows })
  }
  if (random() < 0.35) add({ name: `?${pick(random, BUSTERS)}`, isDeciding: false, values: Number.POSITIVE_INFINITY })
  if (random() < 0.2) add({ name: '?sid', isDeciding: false, values: 'client' })
  if (random() < 0.3) add({ name: '?format', isDeciding: false, values: 1 })
  if (random() < 0.3) add({ name: '?utm_source', isDeciding: false, values: 5, presence: 0.2 })
  if (!hasTraits) return all
  for (const name of traits.toSorted(() => random() - 0.5).slice(0, between(random, 0, 3)))
    add({ name, isDeciding: random() < 0.4, values: between(random, 2, 6) })
  return all
}

function slugOf(place: number): string {
  const digits: string[] = []
  for (let rest = place + 1; rest > 0 || digits.length < 3; rest = Math.floor(rest / WORDS.length))
    digits.push(WORDS[rest % WORDS.length] as string)
  return digits.join('-')
}
