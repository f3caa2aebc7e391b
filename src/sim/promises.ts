/**
 * The six promises, checked against a history.
 *
 * Floor 1, room sim. P1: once an invalidation is answered, no read that begins later at that instance gets older data.
 * P2: where nothing is wrong the others follow at once, and those counted as having followed have. P3: where something is
 * wrong, whoever reaches the store serves nothing that was invalidated longer than a bound ago. P4: no answer is older than
 * its budget. P5: who bears a version token reads nothing older, anywhere. P6: everything is answered within its deadline,
 * and nothing fails. Cost: reads times writes of a history.
 */
import type { History, Read, Trouble, Write } from './history.ts'
import type { Origin } from './origin.ts'

/** Name of a promise. */
export type PromiseName = 'P1' | 'P2' | 'P3' | 'P4' | 'P5' | 'P6'

/** What is promised, in ms. */
export interface Limits {
  /** P2: others follow within. */
  readonly followMs: number
  /** P3: silence is trusted so long. */
  readonly blindAfterMs: number
  /** P3: who cannot reach the store may serve what it has; false: nobody may, whatever is wrong. */
  readonly servesBlind: boolean
  /** P4: an answer's last window. */
  readonly budgetMs: number
  /** P6: a caller waits no longer. */
  readonly deadlineMs: number
}

/** A promise that was broken. */
export interface Violation {
  readonly promise: PromiseName | 'own'
  readonly text: string
  /** The operation that broke it; undefined: none in particular. */
  readonly operation: Read | Write | undefined
}

/** @param promises those to be checked */
export function checkHistory(
  { history, origin }: { readonly history: Pick<History, 'reads' | 'writes' | 'troubles'>; readonly origin: Origin },
  limits: Limits,
  promises: readonly PromiseName[],
): Violation[] {
  const found: Violation[] = []
  const checks = PAIRS.filter(({ promise }) => promises.includes(promise))
  for (const read of history.reads) {
    if (read.ended === Number.POSITIVE_INFINITY || read.error !== undefined) continue
    for (const write of history.writes) {
      if (write.key !== read.key || read.version >= write.version) continue
      const broken = checks.find(({ forbids }) => forbids({ read, write, limits, troubles: history.troubles }))
      if (broken !== undefined) found.push(violation(broken.promise, read, `not v${write.version} ${broken.because(write)}`))
    }
    const since = origin.supersededAt(read.key, read.version)
    if (promises.includes('P4') && read.begunAt > since + limits.budgetMs) {
      found.push(violation('P4', read, `which was superseded ${Math.round(read.begunAt - since)} ms before the question`))
    }
  }
  if (promises.includes('P6'))
    for (const operation of [...history.reads, ...history.writes]) found.push(...judgeEnd(operation, history, limits))
  return found
}

interface Pair {
  readonly read: Read
  readonly write: Write
  readonly limits: Limits
  readonly troubles: readonly Trouble[]
}

interface Check {
  readonly promise: PromiseName
  /** Whether a read after this write may not get anything older. */
  forbids(pair: Pair): boolean
  because(write: Write): string
}

const PAIRS: readonly Check[] = [
  {
    promise: 'P1',
    forbids: ({ read, write }) =>
      write.ended < read.begun && !failed(write) && read.node === write.node && read.life === write.life,
    because: () => 'whose invalidation this instance had answered',
  },
  {
    promise: 'P2',
    forbids: ({ read, write, limits, troubles }) => {
      if (write.ended > read.begun || failed(write) || isUnplaced(write)) return false
      if (write.expected > 0 && write.acknowledged === write.expected) return true
      return write.endedAt + limits.followMs < read.begunAt && !isTroubled({ troubles, read }, write.begunAt, true)
    },
    because: ({ expected, acknowledged }) =>
      expected > 0 ? `of which ${acknowledged} of ${expected} instances had heard` : 'although nothing was wrong',
  },
  {
    promise: 'P3',
    forbids: ({ read, write, limits, troubles }) => {
      const bound = read.begunAt - limits.blindAfterMs
      if (write.endedAt >= bound || failed(write) || isUnplaced(write)) return false
      return !limits.servesBlind || !isTroubled({ troubles, read }, bound)
    },
    because: () => 'which was invalidated longer ago than silence may be trusted',
  },
  {
    promise: 'P5',
    forbids: ({ read, write }) => read.tokenOf === write,
    because: () => 'whose token it bore',
  },
]

function failed({ error }: Write): boolean {
  return error !== undefined
}

/** The node said itself that its log could not be reached. */
function isUnplaced({ token }: Write): boolean {
  return token?.endsWith('?') === true
}

/** Whether the reader could not count on the store since a moment, or, if that counts too, stood still. */
function isTroubled({ troubles, read }: Pick<Pair, 'troubles' | 'read'>, since: number, hasStops = false): boolean {
  for (const { kind, node, from, to } of troubles) {
    if ((hasStops || kind === 'sick') && (node === undefined || node === read.node) && from <= read.begunAt && to >= since)
      return true
  }
  return false
}

function judgeEnd(operation: Read | Write, { troubles }: Pick<History, 'troubles'>, { deadlineMs }: Limits): Violation[] {
  const { kind, node, begunAt, endedAt, error } = operation
  const isStopped = troubles.some((one) => one.kind === 'stop' && one.node === node && one.from <= endedAt && one.to >= begunAt)
  if (isStopped) return []
  const what =
    error !== undefined ? `failed: ${error}` : endedAt === Number.POSITIVE_INFINITY ? 'was never answered' : 'took too long'
  if (error === undefined && endedAt - begunAt <= deadlineMs) return []
  return [{ promise: 'P6', text: `${node}: a ${kind} of ${operation.key} ${what}`, operation }]
}

function violation(promise: PromiseName, read: Read, because: string): Violation {
  const how = read.isCached ? ' from its cache' : ''
  return { promise, text: `${read.node} gave ${read.key} v${read.version}${how}, ${because}`, operation: read }
}
