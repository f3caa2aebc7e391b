/**
 * A run that broke a promise, for people: what was done, and what happened to the key around the moment.
 */
import type { Read, Write } from '../../src/sim/history.ts'
import type { Breach } from './checker.ts'
import type { Outcome } from './run.ts'

const BEFORE_MS = 3000
const MAX_LINES = 60

/** @returns lines */
export function traceOf(outcome: Outcome, { promise, text, operation }: Breach): string {
  const { scenario, seed, history, deeds } = outcome
  const zero = Math.min(...history.reads.map(({ begunAt }) => begunAt))
  const [from, to] = [operation.begunAt - BEFORE_MS, Math.min(operation.endedAt, operation.begunAt + BEFORE_MS)]
  const lines: { readonly at: number; readonly text: string }[] = []
  for (const one of [...history.reads, ...history.writes]) {
    if (one.key !== operation.key || one.endedAt < from || one.begunAt > to) continue
    lines.push({ at: one.begunAt, text: `${one === operation ? '>>> ' : '    '}${lineOf(one, zero)}` })
  }
  const shown = lines.sort((a, b) => a.at - b.at).slice(-MAX_LINES)
  const sorted = [...deeds.map(({ at, text: what }) => ({ at, text: `--- ${what}` })), ...shown].sort((a, b) => a.at - b.at)
  const body = sorted.map(({ at, text: what }) => `${(at - zero).toFixed(1).padStart(9)}  ${what}`)
  return [`${promise} broken in ${scenario}, seed ${seed}: ${text}`, ...body].join('\n')
}

function lineOf(one: Read | Write, zero: number): string {
  const end = one.endedAt === Number.POSITIVE_INFINITY ? 'never' : (one.endedAt - zero).toFixed(1)
  const who = `${one.node}.${one.life}`
  if (one.error !== undefined) return `${who} ${one.kind} failed at ${end}: ${one.error.slice(0, 100)}`
  if (one.kind === 'write') {
    return `${who} invalidated for v${one.version}, answered at ${end}: ${one.token} (${one.acknowledged} of ${one.expected})`
  }
  const bearing = one.tokenOf === undefined ? '' : `, bearing ${one.tokenOf.token}`
  return `${who} gave v${one.version}${one.isCached ? ' from its cache' : ''} at ${end}${bearing}`
}
