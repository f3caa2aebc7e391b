/**
 * What a door tells the prefetcher of its answers, and how it fetches what that foresees.
 *
 * Floor 4, room http. On routes that prefetch alone: all others cost one branch. Only GETs whose answers stood in the store, or
 * may stand there, teach anything: what is private, refused or passed on is never foretold. Requests that say they are a
 * prefetch themselves are nobody's wish.
 */
import { type Mentions, mentionsIn } from '../flow/prefetch-mentions.ts'
import { PREFETCH_DEFAULTS, type PrefetchSection } from '../flow/prefetch-options.ts'
import { type Asked, type Planner, Prefetch } from '../flow/prefetch.ts'
import { RULE_LIMITS } from '../flow/prefetch-rules.ts'
import type { Engine } from '../flow/engine.ts'
import type { Reply, ResponseHead } from '../model/exchange.ts'
import type { Fields } from '../model/fields.ts'
import { type ClientName, createClientName } from './client-name.ts'
import { hintsIn } from './hints.ts'
import { askedHead, type Policies } from './policy.ts'
import { siteOf, wayTo } from './prefetch-way.ts'
import { Stored } from './stored.ts'
import { type Foresight, type KeyedVisit, routeOf, type Visit } from './visit.ts'

/** Share of the memory that rules may hold. */
const RULES_SHARE = 16
/** What rules are about: printable, so that no mark of a rule can stand in it. */
const PLAIN = /^[\x21-\x7e]{1,2048}$/

/**
 * @param section what is one for all routes; default: PREFETCH_DEFAULTS
 * @returns undefined where no route prefetches
 */
export function createForesight(engine: Engine, { all }: Policies, section = PREFETCH_DEFAULTS): Foresight | undefined {
  return all.some(({ prefetch, strict }) => prefetch !== undefined && !strict) ? new DoorForesight(engine, section) : undefined
}

class DoorForesight implements Foresight {
  readonly #prefetch: Prefetch
  readonly #name: ClientName
  /** By the bytes of bodies that stand. */
  readonly #mentions = new WeakMap<Uint8Array, Mentions | false>()

  constructor(engine: Engine, { client, clients, rules }: PrefetchSection) {
    const { clock, meter, ledger, governor, settings } = engine
    const limits = {
      ...RULE_LIMITS,
      sessions: clients,
      keys: rules,
      maxBytes: settings.memory.maxBytes / RULES_SHARE,
      shapes: true,
    }
    const isCalm = (): boolean => governor.mood === 'calm' && clock.now() < engine.seesUntil && engine.shared?.isBlind !== true
    this.#prefetch = new Prefetch({ clock, meter, ledger, limits, isCalm })
    this.#name = createClientName(client)
  }

  name(fields: Fields): string | undefined {
    return this.#name(fields)
  }

  answered(visit: KeyedVisit, reply: Reply, tookMs: number): void {
    const { cached, load, cache } = reply.outcome
    if (reply.head.status >= 500) return this.#prefetch.failed(routeOf(visit))
    if (!cached && load === undefined) return
    const isLoad = load === 'kept' || cache === 'REFRESH'
    const asked = askedBy(visit, this.#name(visit.head.fields))
    if (asked === undefined) return
    const { fields } = reply.head
    const mentions = asked.settings.bodies && reply.body instanceof Uint8Array ? this.#mentionsOf(reply.body, fields) : undefined
    this.#prefetch.asked({ ...asked, loadMs: isLoad ? tookMs : undefined, mentions }, (next) => wayTo(visit, next, false))
    if (isLoad) this.#follow(visit, reply.head, HINTS)
  }

  recalling(visit: KeyedVisit, client: string | undefined): (() => void) | undefined {
    const asked = askedBy(visit, client)
    if (asked === undefined) return undefined
    const plan: Planner = (next) => wayTo(visit, next, false)
    const { memory } = visit.desk.engine
    if (!asked.settings.bodies) return () => this.#prefetch.asked(asked, plan)
    return () => {
      const value = memory.look(visit.primary)?.value
      const mentions = value instanceof Stored ? this.#mentionsOf(value.body, value.plan.fields) : undefined
      this.#prefetch.asked({ ...asked, mentions }, plan)
    }
  }

  informed(visit: Visit, head: ResponseHead): void {
    if (head.status === 103) this.#follow(visit, head, EARLY_HINTS)
  }

  failed(visit: Visit): void {
    this.#prefetch.failed(routeOf(visit))
  }

  close(): void {
    this.#prefetch.close()
  }

  #follow(visit: Visit, { fields }: ResponseHead, rels: readonly string[]): void {
    const url = urlOf(visit)
    if (visit.routed.policy.prefetch?.hints !== true || url === undefined || isPrefetch(visit.head.fields)) return
    const next = hintsIn(fields, { url, site: siteOf(visit.head), rels })
    if (next.length > 0) this.#prefetch.hinted(url, next, (one) => wayTo(visit, one, true))
  }

  #mentionsOf(body: Uint8Array, fields: Fields): Mentions | undefined {
    if (fields.has('content-encoding') || !/^application\/(?:[\w.+-]+\+)?json\b/i.test(fields.first('content-type') ?? ''))
      return undefined
    let known = this.#mentions.get(body)
    if (known === undefined) {
      known = mentionsIn(body) ?? false
      this.#mentions.set(body, known)
    }
    return known === false ? undefined : known
  }
}

/** Relation types that are hints. */
const HINTS: readonly string[] = ['prefetch']
const EARLY_HINTS: readonly string[] = ['prefetch', 'preload', 'modulepreload']

/** A request as the prefetcher hears of it, where its answer stood; undefined where it is none of its business. */
function askedBy(visit: KeyedVisit, client: string | undefined): Asked | undefined {
  const settings = visit.routed.policy.prefetch
  const url = urlOf(visit)
  if (settings === undefined || url === undefined || isPrefetch(visit.head.fields)) return undefined
  return { client, url, key: visit.primary, route: routeOf(visit), settings, loadMs: undefined }
}

/** A request as rules know it: without what does not count. */
function urlOf({ head, routed }: Visit): string | undefined {
  if (!PLAIN.test(head.target)) return undefined
  return siteOf(head) + askedHead(head, routed.policy).target
}

function isPrefetch(fields: Fields): boolean {
  const purpose = fields.get('sec-purpose') ?? fields.get('purpose')
  return purpose !== undefined && /\b(?:prefetch|prerender|preview)\b/i.test(purpose)
}
