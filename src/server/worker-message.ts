/**
 * What a supervisor and its workers say to each other. Plain data, over a channel that loses nothing and keeps its order.
 *
 * Floor 5, room server. A worker's life: `hello` → `start` → `join` → `welcome` → `listening` → `drain` → its end. From
 * `welcome` on it is told every invalidation and waited for, and not before it does it listen: there is no moment in which
 * it could serve without hearing.
 */
import type { EventName } from '../model/event.ts'
import type { Question } from '../ops/fleet.ts'
import type { Counts } from '../ops/fleet.ts'
import type { ToMember, ToSequencer } from '../tier/sequencer.ts'
import type { Config } from './config-schema.ts'
import type { ListenWish } from './listener.ts'
import type { ReloadPlan } from './reload.ts'

/** What a worker is started with. */
export interface WorkerStart {
  /** Never used again by another worker of this supervisor. */
  readonly worker: string
  /** Its place among the workers, from 1: taken over by its successor. */
  readonly place: number
  /** Id of the instance. */
  readonly instance: string
  /** With this worker's share of everything that is divided. */
  readonly config: Config
  /** Version of the rules, see LinkDraft. */
  readonly rules: number
  readonly generation: string
  readonly at: ListenWish
}

/** What a worker is told. */
export type ToWorker =
  | { readonly type: 'start'; readonly start: WorkerStart }
  | { readonly type: 'welcome'; readonly sequence: number }
  | { readonly type: 'link'; readonly message: ToMember }
  | { readonly type: 'ask'; readonly id: number; readonly question: Question }
  /** Events to tell from now on; none ends it. */
  | { readonly type: 'watch'; readonly names: readonly EventName[] }
  | { readonly type: 'reload'; readonly id: number; readonly plan: ReloadPlan; readonly rules: number }
  | { readonly type: 'drain'; readonly deadlineMs: number }

/** Something that happened in a worker: the event's payload as JSON has it. */
export interface WorkerEvent {
  readonly name: EventName
  readonly payload: unknown
}

/** An error on its way. */
export interface ErrorWords {
  readonly message: string
  /** What errors of the system bear, to be told apart: `code`, `syscall`, `address`, `port`. */
  readonly detail: Readonly<Record<string, unknown>>
}

/** What a worker tells. */
export type FromWorker =
  | { readonly type: 'hello' }
  | { readonly type: 'join' }
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'failed'; readonly error: ErrorWords }
  | { readonly type: 'link'; readonly message: ToSequencer }
  /** Answers each beat. */
  | { readonly type: 'alive' }
  | { readonly type: 'counts'; readonly counts: Counts }
  | { readonly type: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly type: 'events'; readonly events: readonly WorkerEvent[] }
  | { readonly type: 'reloaded'; readonly id: number }
  /** It has failed inside and drains by itself: it needs a successor. */
  | { readonly type: 'ending' }

export function errorWords(error: unknown): ErrorWords {
  if (!(error instanceof Error)) return { message: String(error), detail: {} }
  const { code, syscall, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number }
  return { message: error.message, detail: { code, syscall, address, port } }
}

/** The error that the words are of. */
export function errorOf({ message, detail }: ErrorWords): Error {
  return Object.assign(new Error(message), detail)
}
