/**
 * Asking the origin for what nobody has asked for yet.
 *
 * Floor 4, room http. Under the hard deadline of a caller. What may be stored is stored like any other; an error is no answer,
 * whatever it says of its freshness, and what is not for sharing leaves no mark that would stand in a client's way.
 */
import type { Lead } from '../flow/flight.ts'
import type { Fetched } from '../flow/prefetch.ts'
import { ForecacheError } from '../model/errors.ts'
import type { OriginPort } from '../model/exchange.ts'
import { askOrigin } from './ask.ts'
import { bodyRefusal } from './collect.ts'
import type { Errand } from './errand.ts'
import { judgeHeard } from './judge.ts'
import { discard } from './outgoing.ts'
import type { Selected } from './select.ts'
import { tellVary } from './selection.ts'
import { replyShared } from './share.ts'
import type { Sharing } from './sharing.ts'
import { validateStored } from './validate.ts'
import type { KeyedVisit } from './visit.ts'

/** What is to be fetched. */
export interface Beforehand {
  readonly visit: KeyedVisit
  /** The client has shown who he is, and that is left out. */
  readonly omits: boolean
  /** Whether it stands by now. */
  isStanding(): boolean
}

const UNKEPT: Fetched = { outcome: 'unkept' }
const LOST: Fetched = { outcome: 'lost' }

/** Asks the origin, and waits until what it said is stored. @throws what the origin port throws */
export async function askBeforehand(
  { visit: given, omits, isStanding }: Beforehand,
  selected: Selected,
  own: Lead<Sharing>,
): Promise<Fetched> {
  const { engine } = given.desk
  const abort = new AbortController()
  const { hard } = engine.settings.deadlines
  const timer = engine.clock.after(hard, () => abort.abort(new ForecacheError('FC_ORIGIN_TIMEOUT', { ms: hard })))
  const visit = { ...given, exchange: { ...given.exchange, origin: choosy(given.exchange.origin, { omits, abort }) } }
  let sharing: Sharing | undefined
  const lead: Lead<Sharing> = {
    ...own,
    answer: (value, tags) => {
      sharing = value
      own.answer(value, tags)
    },
    fail: () => own.abandon(),
  }
  const errand: Errand = { fill: lead.fill, lead, forward: 'uri-miss', abort, background: true }
  try {
    if (selected.kind === 'stored' && selected.stored.part === undefined) {
      const reply = await validateStored(visit, { ...errand, forward: 'stale' }, selected)
      discard(reply.body)
    } else await fetchBeforehand(visit, errand)
    const stored = await (sharing as Sharing | undefined)?.stored
    if (stored === undefined) return UNKEPT
    return isStanding() ? { outcome: 'kept', freshMs: stored.plan.budget.freshMs } : LOST
  } finally {
    timer.cancel()
  }
}

/** What may not be shared is let go without a mark: it says nothing of what the client himself would have got. */
async function fetchBeforehand(visit: KeyedVisit, errand: Errand): Promise<void> {
  const heard = await askOrigin(visit, { fields: visit.head.fields, signal: errand.abort.signal, informs: false })
  const judgement = judgeHeard(visit, heard)
  if (!judgement.storable || bodyRefusal(visit, heard) !== undefined) return discard(heard.answer.body)
  const { plan } = judgement
  tellVary(heard.head.fields, plan)
  const reply = await replyShared(visit, errand, { heard, plan })
  discard(reply.body)
}

/** An origin whose errors are not taken for answers: it may refuse prefetches, and knows nobody without his credentials. */
function choosy(origin: OriginPort, { omits, abort }: { omits: boolean; abort: AbortController }): OriginPort {
  return {
    send: async (head, body, options) => {
      const answer = await origin.send(head, body, options)
      const { status } = answer.head
      if (status < 500 && !(omits && status !== 200 && status !== 304)) return answer
      discard(answer.body)
      const refused = new ForecacheError('FC_ORIGIN_BROKEN', { reason: `a prefetch was answered ${status}` })
      if (status < 500) abort.abort(refused) // no failure of the origin
      throw refused
    },
  }
}
