/**
 * Several processes before one administration: what it may ask each of them, and what they answer.
 *
 * Floor 4, room ops. Questions and answers are plain data, so that they can cross a channel. A process that does not
 * answer in time is left out of what is told, never waited for.
 */
import type { Engine } from '../flow/engine.ts'
import type { MemoryState } from '../flow/governor.ts'
import type { InvalidateInput } from '../flow/invalidate.ts'
import type { Violation } from '../model/audit.ts'
import { ForecacheError, type Detail, type ErrorCode } from '../model/errors.ts'
import type { MeterWords } from '../model/meter.ts'
import { LargeAnswers, type LargeCounts } from './advice.ts'
import type { Explanation } from './explain.ts'
import type { Explainer } from './explain-endpoint.ts'
import { ownUsage, type ProcessUsage } from './own-usage.ts'
import { type ReadCounts, watchReads } from './top.ts'

/** What is asked. */
export type Question =
  | { readonly what: 'counts' }
  | { readonly what: 'top'; readonly windowMs: number }
  | { readonly what: 'explain'; readonly query: string }
  | { readonly what: 'matches'; readonly input: InvalidateInput }
  | { readonly what: 'audit' }
  | { readonly what: 'large' }

/** Everything a process counts, and its gauges; sizes in bytes. */
export interface Counts extends ProcessUsage {
  readonly meter: MeterWords
  readonly entries: number
  readonly bytes: number
  readonly maxBytes: number
  readonly flights: number
  readonly refreshing: number
  readonly state: MemoryState
}

/** An explanation, or why there is none. */
export type Explained =
  | { readonly explanation: Explanation }
  | { readonly refusal: { readonly code: ErrorCode; readonly detail: Detail } }

/** Answers by what was asked. */
export interface Answers {
  readonly counts: Counts
  readonly top: ReadCounts
  readonly explain: Explained
  readonly matches: number
  readonly audit: readonly Violation[]
  readonly large: LargeCounts
}

/** A worker for people. */
export interface WorkerView {
  readonly id: string
  readonly pid: number
  readonly state: string
  readonly startedAt: string
}

/** The workers before one administration. */
export interface Fleet {
  /** The answers of those who answered in time, by worker. */
  ask<W extends Question['what']>(
    question: Extract<Question, { readonly what: W }>,
  ): Promise<readonly { readonly worker: string; readonly answer: Answers[W] }[]>
  workers(): readonly WorkerView[]
  /** Workers that were replaced since the start. */
  readonly replaced: number
}

/** Reads what one process counts. */
export function countsOf({ meter, memory, flights, refreshes, governor }: Engine): Counts {
  return {
    ...ownUsage(),
    meter: meter.words(),
    entries: memory.size,
    bytes: memory.bytes,
    maxBytes: memory.maxBytes,
    flights: flights.size,
    refreshing: refreshes.size,
    state: governor.state(),
  }
}

/** Gives one process's answers. */
export interface Respondent {
  answer(question: Question): Promise<Answers[keyof Answers]>
  close(): void
}

/** Counts from now on what only questions need. @param explainer closed with it */
export function createRespondent(engine: Engine, explainer: Explainer): Respondent {
  const large = new LargeAnswers(engine.events)
  return {
    answer: (question) => answer({ engine, explainer, large }, question),
    close: () => {
      large.close()
      explainer.close()
    },
  }
}

async function answer(
  { engine, explainer, large }: { engine: Engine; explainer: Explainer; large: LargeAnswers },
  question: Question,
): Promise<Answers[keyof Answers]> {
  switch (question.what) {
    case 'counts':
      return countsOf(engine)
    case 'top':
      return watchReads(engine, question.windowMs)
    case 'explain':
      return explained(explainer, question.query)
    case 'matches':
      return engine.invalidate({ ...question.input, dryRun: true }).matched
    case 'audit':
      return engine.audit?.violations() ?? []
    case 'large':
      return large.counts()
    default:
      return question satisfies never
  }
}

function explained(explainer: Explainer, query: string): Explained {
  try {
    return { explanation: explainer.explain(new URLSearchParams(query)) }
  } catch (error) {
    if (!(error instanceof ForecacheError)) throw error
    return { refusal: { code: error.code, detail: error.detail } }
  }
}
