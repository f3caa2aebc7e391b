/**
 * One request of a log, as far as the log tells of it.
 *
 * Floor 4, room advice.
 */

/** What a log may say of how an answer may be kept, and over what it came. */
export interface AccessNotes {
  /** `Cache-Control` of the answer. */
  readonly cacheControl?: string
  /** `Vary` of the answer. */
  readonly vary?: string
  /** Which request of its connection this was, from 1. */
  readonly ofConnection?: number
}

/** See the module's header. */
export interface Access {
  /** Epoch ms. */
  readonly atMs: number
  readonly method: string
  /** Path and query, as sent. */
  readonly target: string
  readonly status: number
  /** Of the answer's body; -1: not told. */
  readonly bytes: number
  /** Address of whoever asked; '' is not told. */
  readonly client: string
  /** What names the answer's content: a digest or an entity tag; '' is not told. */
  readonly digest: string
  /** Fields and cookies of the request, as `header:name` and `cookie:name`; who is logged in as `user`. */
  readonly traits: readonly (readonly [name: string, value: string])[]
  readonly notes?: AccessNotes
}

const YEAR_10000_MS = 253_402_300_800_000

/** Whether epoch ms are a moment that a log may tell: from 1970 until four digits no longer hold the year. */
export function isMoment(ms: number): boolean {
  return ms >= 0 && ms < YEAR_10000_MS
}

/** Makes an access of a line; undefined: it is none. */
export type ReadLine = (line: string) => Access | undefined
