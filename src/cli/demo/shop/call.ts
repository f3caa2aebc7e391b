/**
 * One request to the shop, as routes see it, and the route table's shape.
 *
 * Floor 6, room cli.
 */
import type { IncomingMessage } from 'node:http'
import type { Answer } from './answer.ts'
import type { Database, RowSource } from './database.ts'
import type { Stages } from './stages.ts'

/** A request with what it needs. */
export interface Call {
  readonly request: IncomingMessage
  readonly url: URL
  /** What the route's pattern captured. */
  readonly id: string
  /** Parsed JSON body of a write; undefined for reads. */
  readonly body: unknown
  /** Epoch ms of this request. */
  readonly nowMs: number
  readonly stages: Stages
  /** Where reads come from. */
  readonly source: RowSource
  /** Where writes go. */
  readonly db: Database
}

/** A route: method, pattern with at most one group, and what it does. */
export interface Route {
  readonly method: 'GET' | 'PUT' | 'POST'
  readonly path: RegExp
  readonly run: (call: Call) => Promise<Answer>
}

/** A whole number written plainly; undefined for anything else. */
export function parseCount(text: string | null | undefined, max = 2 ** 31 - 1): number | undefined {
  if (text === null || text === undefined || !/^\d{1,10}$/.test(text)) return undefined
  const value = Number(text)
  return value <= max ? value : undefined
}
