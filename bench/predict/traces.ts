/**
 * The traces that predictions are judged on: files, one without anything to learn, and made ones.
 */
import { createRandom } from '../../src/model/random.ts'
import { readTrace, type Trace } from '../trace/formats.ts'
import { madeTraces } from './made.ts'
import { timed, type Timed } from './replay.ts'

/** Which. */
export interface TraceWish {
  readonly files: readonly string[]
  /** Requests a second of traces that tell no times. */
  readonly rates: readonly number[]
  /** Seed of made ones; undefined: none. */
  readonly made: number | undefined
}

/** One trace, ready to be replayed. */
export interface Subject extends Pick<Trace, 'clients' | 'names'> {
  readonly name: string
  readonly requests: Timed
  /** There is nothing to learn from it. */
  readonly isRandom: boolean
}

const RANDOM = { requests: 50_000, keys: 20_000 }

/** @throws Error saying which file cannot be read */
export function* tracesOf({ files, rates, made }: TraceWish): Generator<Subject> {
  for (const file of files) yield* atRates(nameOf(file), readTrace(file), { rates, isRandom: false })
  for (const one of made === undefined ? [] : madeTraces(made))
    yield* atRates(one.name, one.trace, { rates, isRandom: one.isRandom })
  yield* atRates('random', randomTrace(), { rates, isRandom: true })
}

function* atRates(
  name: string,
  trace: Trace,
  { rates, isRandom }: { readonly rates: readonly number[]; readonly isRandom: boolean },
): Generator<Subject> {
  const { clients, names } = trace
  if (trace.atMs !== undefined) yield { name, clients, names, isRandom, requests: timed(trace, 1) }
  else for (const rate of rates) yield { name: `${name} ${rate}/s`, clients, names, isRandom, requests: timed(trace, rate) }
}

function nameOf(file: string): string {
  return (file.split('/').at(-1) ?? file).split(/[._]/)[0] || file
}

/** Every key as likely as any other: there is nothing to learn. */
function randomTrace(): Trace {
  const random = createRandom(1)
  const ids = Int32Array.from({ length: RANDOM.requests }, () => Math.floor(random() * RANDOM.keys))
  return {
    ids,
    distinct: RANDOM.keys,
    sizes: undefined,
    atMs: undefined,
    clients: undefined,
    names: [],
    format: 'text',
    skipped: 0,
  }
}
