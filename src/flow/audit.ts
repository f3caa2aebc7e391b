/**
 * The audit: a small share of the answers from memory is held against what was said and against what the origin has.
 *
 * Floor 3, room flow. Two kinds of evidence. What was invalidated, and how old an answer may be, is known here for sure and
 * alone raises an alarm; an origin that has changed says how stale answers really are, and accuses nobody: answers inside
 * their budget may be. Where nothing can be told, the check is inconclusive. A hit costs one decrement; everything else
 * happens for the few that are chosen, at most `perSecond`, one question for a key at a time, each with a deadline.
 */
import type { Breach, Found, Seen, Violation } from '../model/audit.ts'
import type { Clock } from '../model/clock.ts'
import type { EventHub } from '../model/event.ts'
import { type Meter, seriesOf } from '../model/meter.ts'
import { COUNTER, HISTOGRAM } from '../model/metric.ts'
import type { Logger } from '../model/port.ts'
import type { Random } from '../model/random.ts'
import type { Fence } from '../tier/fence.ts'
import { AuditBook } from './audit-book.ts'
import type { AuditSettings } from './audit-options.ts'
import type { Compared, Sample, Served } from './audit-sample.ts'
import { traceOf } from './audit-trace.ts'

/** What an audit works with. */
export interface AuditParts {
  readonly settings: AuditSettings
  readonly clock: Clock
  readonly random: Random
  readonly events: EventHub
  readonly fence: Fence
  readonly meter: Meter
  readonly logger: Logger
  /** Name of this instance. */
  readonly instance: string
  /** How far the times of readings on other machines may be off, ms. */
  readonly doubtMs: number
}

/** Clocks of one process are read at several moments of one answer, and ticks of the coarse one are rounded, ms. */
const MARGIN_MS = 50
const UNKNOWN: Seen = { found: 'unknown' }

/** See the module's header. */
export class Audit {
  readonly settings: AuditSettings
  readonly #parts: AuditParts
  readonly #book: AuditBook
  readonly #running = new Map<string, AbortController>()
  readonly #violations: Violation[] = []
  /** Hits until the next one that is chosen. */
  #left: number
  #tokens: number
  #filledAt: number

  constructor(parts: AuditParts) {
    this.settings = parts.settings
    this.#parts = parts
    this.#book = new AuditBook(parts)
    this.#tokens = Math.max(1, parts.settings.perSecond)
    this.#filledAt = parts.clock.now()
    this.#left = this.#gap()
  }

  /** Counts an answer. @returns whether this one is to be looked at: hand it to `take` */
  isDue(): boolean {
    this.#left -= 1
    return this.#left <= 0
  }

  /** Looks at an answer that was given just now, in the same turn. Never throws, never waits. */
  take(served: Served): void {
    this.#left = this.#gap()
    const { entry, route } = served
    if (!this.#mayLook()) return this.#parts.meter.count(COUNTER.auditSkipped, route)
    const sample = this.#judge(served)
    const isFree = !this.#running.has(entry.key) && this.#running.size < this.settings.concurrency
    if (isFree && (served.check !== undefined || served.compare !== undefined)) void this.#ask(sample)
    else this.#settle(sample, UNKNOWN, undefined)
  }

  /** The last invalidation was made here, not heard from others. */
  own(): void {
    this.#book.own()
  }

  /** The last ones, oldest first; of one key where it is given. */
  violations(key?: string): readonly Violation[] {
    return key === undefined ? this.#violations : this.#violations.filter((one) => one.key === key)
  }

  /** Questions under way. */
  get size(): number {
    return this.#running.size
  }

  close(): void {
    this.#book.close()
    for (const controller of this.#running.values()) controller.abort()
  }

  /** Random, so that no rhythm of the traffic is always met or never. */
  #gap(): number {
    const { share } = this.settings
    return share >= 1 ? 1 : Math.ceil(this.#parts.random() * 2 * (1 / share - 0.5))
  }

  #mayLook(): boolean {
    const { perSecond } = this.settings
    const now = this.#parts.clock.now()
    this.#tokens = Math.min(Math.max(1, perSecond), this.#tokens + (Math.max(0, now - this.#filledAt) / 1000) * perSecond)
    this.#filledAt = now
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }

  /** What is known without asking anybody; it must be now, for what is said later accuses nobody. */
  #judge(served: Served): Sample {
    const { clock, doubtMs } = this.#parts
    const { entry, primary, ageMs, promisedMs } = served
    const keys = primary === undefined || primary === entry.key ? [entry.key] : [entry.key, primary]
    const records = this.#book.naming(entry, keys, doubtMs)
    const breach = records.length > 0 ? 'invalidated' : ageMs > promisedMs + MARGIN_MS ? 'budget' : undefined
    const asOf = this.#book.comingOf(entry)?.asOf ?? entry.asOf
    return { served, servedAt: clock.now(), wallAt: clock.wall(), breach, records, asOf }
  }

  async #ask(sample: Sample): Promise<void> {
    const { clock } = this.#parts
    const { entry, check, compare } = sample.served
    const controller = new AbortController()
    this.#running.set(entry.key, controller)
    const timer = clock.after(this.settings.timeout, () => controller.abort())
    const cut = new Promise<undefined>((resolve) => {
      controller.signal.addEventListener('abort', () => resolve(undefined), { once: true })
    })
    try {
      const asked = check === undefined ? UNKNOWN : Promise.race([check(controller.signal), cut]).catch(() => UNKNOWN)
      const compared = compare === undefined ? undefined : Promise.race([compare(), cut]).catch(() => undefined)
      this.#settle(sample, (await asked) ?? UNKNOWN, await compared)
    } catch (error) {
      this.#parts.logger.error({ err: error, key: entry.key }, 'an audit failed')
    } finally {
      timer.cancel()
      this.#running.delete(entry.key)
    }
  }

  #settle(sample: Sample, seen: Seen, compared: Compared | undefined): void {
    const { meter } = this.#parts
    const { route, stale } = sample.served
    const staleMs = this.#stalenessOf(sample, seen, compared)
    if (staleMs !== undefined) meter.observe(HISTOGRAM.realStaleness, staleMs / 1000, seriesOf(route, true, stale))
    const breach = sample.breach ?? this.#outdated(sample, seen)
    if (breach !== undefined) {
      meter.count(COUNTER.auditViolating, route)
      return this.#report({ ...sample, breach }, { seen, compared, staleMs })
    }
    if (staleMs === undefined) meter.count(COUNTER.auditInconclusive, route)
    else meter.count(staleMs === 0 ? COUNTER.auditCurrent : COUNTER.auditOutdated, route)
  }

  /**
   * How long the origin had something else by then, ms; at most so much where it does not say when it changed. Where it says
   * nothing, a newer reading in the second level tells. Undefined: not known.
   */
  #stalenessOf({ served, servedAt }: Sample, seen: Seen, compared: Compared | undefined): number | undefined {
    if (seen.found === 'same') return 0
    const mostMs = Math.max(0, servedAt - served.entry.storedAt)
    if (seen.found === 'changed') {
      if (seen.changedAgoMs === undefined) return mostMs
      return Math.min(mostMs, Math.max(0, seen.changedAgoMs - (this.#parts.clock.now() - servedAt)))
    }
    if (compared === undefined || compared.storedAt <= served.entry.storedAt) return undefined
    return compared.isSame ? 0 : Math.min(mostMs, Math.max(0, servedAt - compared.storedAt))
  }

  /**
   * What came from elsewhere bears a time that was told. Bytes that the origin was seen to have left behind for longer than
   * the budget cannot be as young as that; what was read here since then is the origin's own word, and no fault of ours.
   */
  #outdated({ served, servedAt }: Sample, seen: Seen): Breach | undefined {
    const { entry, promisedMs } = served
    if (seen.found === 'unknown') return undefined
    if (seen.found === 'same') {
      this.#book.confirm(entry.key)
      return undefined
    }
    const sinceMs = servedAt - this.#book.supersede(entry.key, served.version())
    const way = this.#book.comingOf(entry)?.way
    if (way !== 'promotion' && way !== 'snapshot') return undefined
    return sinceMs > promisedMs + MARGIN_MS ? 'outdated' : undefined
  }

  #report(
    sample: Sample & { readonly breach: Breach },
    told: { readonly seen: Seen; readonly compared: Compared | undefined; readonly staleMs: number | undefined },
  ): void {
    const { meter, events, logger, instance, fence } = this.#parts
    const { entry, route } = sample.served
    const { seen, compared, staleMs } = told
    meter.count(COUNTER.stalenessViolations, route)
    const violation = traceOf(sample, {
      instance,
      route: meter.routes[route] ?? 'default',
      way: this.#book.comingOf(entry)?.way ?? 'unknown',
      steps: this.#book.stepsOf(entry.key),
      namespaceName: (id) => fence.namespaceName(id),
      origin: seen.found,
      second: foundIn(compared),
      staleMs,
    })
    this.#violations.push(violation)
    if (this.#violations.length > this.settings.maxViolations) this.#violations.shift()
    logger.error({ violation }, 'an answer broke its promise')
    if (events.wants('audit:violation')) events.emit('audit:violation', violation)
  }
}

function foundIn(compared: Compared | undefined): Found {
  if (compared === undefined) return 'unknown'
  return compared.isSame ? 'same' : 'changed'
}
