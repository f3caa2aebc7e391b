/**
 * A broken promise in words: the trace of what was served, how it came, and what should have kept it back.
 *
 * Floor 3, room flow. Pure.
 */
import type { Breach, Found, TracedRecord, TracedStep, Violation, Way } from '../model/audit.ts'
import { type LogRecord, textOfTarget } from '../model/log.ts'
import type { Sample } from './audit-sample.ts'

/** What is known beside the sample. */
export interface TraceParts {
  readonly instance: string
  readonly route: string
  readonly way: Way | 'unknown'
  readonly steps: readonly TracedStep[]
  readonly origin: Found
  readonly second: Found
  readonly staleMs: number | undefined
  namespaceName(id: number): string
}

const MAX_RECORDS = 5
const MAX_TARGETS = 20
const CAME: Readonly<Record<Way | 'unknown', string>> = {
  load: 'a load',
  refresh: 'a refresh behind a stale answer',
  renewal: 'an origin that said nothing had changed',
  write: 'a write',
  promotion: 'the second level',
  snapshot: 'a snapshot',
  unknown: 'a way that is forgotten',
}

export function traceOf(sample: Sample & { readonly breach: Breach }, parts: TraceParts): Violation {
  const { served, breach, asOf, wallAt, servedAt } = sample
  const { entry, promisedMs } = served
  const records = sample.records.slice(-MAX_RECORDS).map((record) => traced(record, parts))
  const { staleMs, namespaceName: _, ...known } = parts
  const ageMs = Math.round(served.ageMs)
  return {
    breach,
    text: sentenceOf(breach, { sample, records, came: CAME[parts.way] }),
    key: entry.key,
    at: iso(wallAt),
    storedAt: iso(wallAt - (servedAt - entry.storedAt)),
    ageMs,
    promisedMs: Math.round(promisedMs),
    budget: entry.budget,
    asOf,
    tags: entry.tags,
    records,
    ...known,
    ...(staleMs === undefined ? {} : { staleMs: Math.round(staleMs) }),
  }
}

function sentenceOf(
  breach: Breach,
  { sample, records, came }: { sample: Sample; records: readonly TracedRecord[]; came: string },
): string {
  const { ageMs, promisedMs } = sample.served
  const age = `${Math.round(ageMs)} ms old, by ${came}`
  const promised = `promised to be at most ${Math.round(promisedMs)} ms`
  const first = records[0]
  switch (breach) {
    case 'invalidated':
      return `served ${age}, read before ${first?.targets.join(', ') ?? 'it'} was invalidated by ${first?.by ?? 'somebody'} at position ${first?.position ?? 0}`
    case 'budget':
      return `served ${age}, ${promised}`
    case 'outdated':
      return `served as ${age}, ${promised}; its origin was seen to have something else before`
    default:
      return breach satisfies never
  }
}

function traced({ position, at, source, targets }: LogRecord, { namespaceName }: TraceParts): TracedRecord {
  return {
    position,
    at: iso(at),
    by: source,
    targets: targets.slice(0, MAX_TARGETS).map((one) => textOfTarget(one, namespaceName)),
  }
}

function iso(wallMs: number): string {
  return new Date(wallMs).toISOString()
}
