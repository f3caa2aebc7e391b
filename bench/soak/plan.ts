/**
 * What a soak asks for: the options of the command, and the resource behind each number.
 */
import { parseArgs } from 'node:util'
import { parseSize } from '../../src/model/units.ts'

/** Options of a soak. */
export interface SoakPlan {
  readonly seconds: number
  readonly memoryBytes: number
  /** Requests per second, about. */
  readonly rate: number
  /** Keep-alive clients. */
  readonly clients: number
  /** Resources asked for. */
  readonly keys: number
  readonly seed: number
  readonly json: boolean
}

export const USAGE = `npm run soak -- [options]
  --seconds N     how long, default 600
  --memory SIZE   limit of the gateway's memory, default 64MiB
  --rate N        requests per second, about; default 400
  --clients N     keep-alive clients, default 32
  --keys N        resources asked for, default 20000
  --seed N        of every choice, default 1
  --json          print the result as JSON`

/** @returns undefined when help was asked for @throws on options that are wrong */
export function parsePlan(args: readonly string[]): SoakPlan | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '600' },
      memory: { type: 'string', default: '64MiB' },
      rate: { type: 'string', default: '400' },
      clients: { type: 'string', default: '32' },
      keys: { type: 'string', default: '20000' },
      seed: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  return {
    seconds: atLeast('seconds', values.seconds, 5),
    memoryBytes: parseSize(values.memory, '--memory'),
    rate: atLeast('rate', values.rate, 1),
    clients: atLeast('clients', values.clients, 1),
    keys: atLeast('keys', values.keys, 1),
    seed: atLeast('seed', values.seed, 0),
    json: values.json,
  }
}

function atLeast(name: string, given: string, min: number): number {
  const value = Number(given)
  if (Number.isInteger(value) && value >= min) return value
  throw new Error(`--${name}: expected a whole number of at least ${min}, given ${given}`)
}

/** A resource of the origin; the same for the same number. */
export interface Resource {
  readonly bytes: number
  /** Where in the origin's text its content begins: no two are equal. */
  readonly from: number
  readonly cacheControl: string
  readonly vary: boolean
  readonly tags: string
  readonly chunked: boolean
}

const CONTROLS = [
  'public, max-age=1, stale-while-revalidate=2',
  'public, max-age=5, stale-if-error=30',
  'public, max-age=30',
  'public, max-age=600',
  'max-age=2, stale-while-revalidate=5, stale-if-error=60',
  'public, max-age=60',
  'public, max-age=10',
  'no-store',
  'private, max-age=3',
  'no-cache',
] as const

const SMALLEST = 100
const LARGEST = 500_000

/** Sizes from 100 bytes to 500 KB, small ones more often: their logarithm is what is even. */
export function resourceOf(key: number): Resource {
  const hash = Math.imul(key + 1, 0x9e3779b1) >>> 0
  const share = (hash >>> 8) / 2 ** 24
  return {
    bytes: Math.round(SMALLEST * (LARGEST / SMALLEST) ** share),
    from: key % 50_000,
    cacheControl: CONTROLS[hash % CONTROLS.length] as string,
    vary: key % 4 === 0,
    tags: `item:${key} group:${key % 50}`,
    chunked: key % 3 === 0,
  }
}
