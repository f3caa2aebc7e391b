/**
 * `GET /v1/audit`: what the audit found, and the last broken promises with their traces.
 *
 * Floor 4, room ops.
 */
import type { AuditSettings } from '../flow/audit-options.ts'
import type { Violation } from '../model/audit.ts'
import { type Endpoint, jsonReply } from '../model/endpoint.ts'
import type { Engine } from '../flow/engine.ts'
import { BOUNDS_SECONDS } from '../model/histogram.ts'
import type { LabelledHistogram, Meter } from '../model/meter.ts'
import { AUDIT_TEXT } from './texts.ts'

/** Answers looked at, by what was found. */
export interface AuditChecks {
  readonly current: number
  readonly outdated: number
  readonly violating: number
  readonly inconclusive: number
  readonly skipped: number
}

/** How stale the answers of a route, or of a context, really were, of those about which the origin could tell. */
export interface RealStaleness {
  readonly route: string
  readonly stale: boolean
  readonly count: number
  readonly p50Seconds: number
  readonly p99Seconds: number
}

/** The answer of `/v1/audit`. */
export interface AuditView {
  /** Null: nothing is audited. */
  readonly settings: AuditSettings | null
  readonly checks: AuditChecks
  readonly violations: number
  readonly realStaleness: readonly RealStaleness[]
  /** Newest first. */
  readonly last: readonly Violation[]
}

/** What the endpoint speaks for. */
export interface AuditSource {
  /** Counts of all processes. */
  stats(): { readonly meter: Meter } | Promise<{ readonly meter: Meter }>
  /** Broken promises of all processes. */
  violations(): readonly Violation[] | Promise<readonly Violation[]>
}

const MAX_LAST = 100

/** @param engine of this process: how it is set, all others are */
export function createAuditEndpoint(source: AuditSource, engine: Engine): Endpoint {
  return {
    method: 'GET',
    path: '/v1/audit',
    about: AUDIT_TEXT,
    handle: async () => {
      const [{ meter }, violations] = await Promise.all([source.stats(), source.violations()])
      return jsonReply(200, viewAudit(engine.audit?.settings ?? null, meter, violations))
    },
  }
}

function viewAudit(settings: AuditSettings | null, meter: Meter, violations: readonly Violation[]): AuditView {
  return {
    settings,
    checks: {
      current: meter.read('auditCurrent'),
      outdated: meter.read('auditOutdated'),
      violating: meter.read('auditViolating'),
      inconclusive: meter.read('auditInconclusive'),
      skipped: meter.read('auditSkipped'),
    },
    violations: meter.read('stalenessViolations'),
    realStaleness: meter.histograms('realStaleness').map(viewStaleness),
    last: violations.toSorted((a, b) => (a.at < b.at ? 1 : -1)).slice(0, MAX_LAST),
  }
}

/** Within the bounds that are published; nothing above them is told apart. */
function viewStaleness({ route, stale, histogram }: LabelledHistogram): RealStaleness {
  const most = BOUNDS_SECONDS.at(-1) as number
  const at = (share: number): number => Number(Math.min(most, histogram.quantile(share)).toFixed(3))
  return { route, stale, count: histogram.count, p50Seconds: at(0.5), p99Seconds: at(0.99) }
}
