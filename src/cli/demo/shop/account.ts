/**
 * `GET /api/profile` and `GET /api/v1/dashboard`: what belongs to a session.
 *
 * Floor 6, room cli. The profile is one user's own and no shared cache may keep it. The dashboard is a seller's, the same
 * for each of his sessions of one role; it depends on nothing of the request but the session cookie, which is what the
 * demo's route policy keys it by. It is never fresh past the session's own end, and tagged with all it depends on:
 * ending the session, changing the role or selling something drops it.
 */
import { type Answer, problem } from './answer.ts'
import type { Call, Route } from './call.ts'
import { BEST_SELLERS, DAYS, FLAGS, type SessionRow } from './queries.ts'
import { findPermissions, findSession } from './session.ts'

const FRESH_S = 10
const STALE_S = 50

async function getProfile(call: Call): Promise<Answer> {
  const session = await findSession(call)
  if (session === undefined) return problem(401, 'send the cookie of a session, such as session=demo')
  const { userId, name, email, role, tier, locale, tenant } = session
  return { status: 200, body: { userId, name, email, role, tier, locale, tenant }, caching: { kind: 'private', maxAge: 30 } }
}

async function getDashboard(call: Call): Promise<Answer> {
  const session = await findSession(call)
  if (session === undefined) return problem(401, 'send the cookie of a session, such as session=demo')
  const permissions = await findPermissions(call, session.role)
  if (!permissions.has('dashboard:read')) return problem(403, `${session.role} may not read the dashboard`)
  const flags = await call.stages.run('flags', () => call.source.rows(FLAGS, [session.tenantId]))
  const on = flags.filter((flag) => flag.enabled).map((flag) => flag.name)
  const [best, days] = await call.stages.run(
    'query',
    async () =>
      [
        await call.source.rows(BEST_SELLERS, [session.tenantId, call.nowMs]),
        on.includes('daily-trend') ? await call.source.rows(DAYS, [session.tenantId, call.nowMs]) : [],
      ] as const,
  )
  const money = permissions.has('revenue:read')
  return {
    status: 200,
    body: {
      seller: session.tenant,
      plan: session.plan,
      currency: 'USD',
      flags: on,
      bestSellers: money ? best : best.map(withoutRevenue),
      days: money ? days : days.map(withoutRevenue),
    },
    caching: { kind: 'session', freshness: sessionFreshness(session, call.nowMs) },
    tags: [`seller:${session.tenantId}`, `user:${session.userId}`, `role:${session.role}`, 'flags'],
  }
}

function withoutRevenue(row: object): object {
  return Object.fromEntries(Object.entries(row).filter(([name]) => name !== 'revenue'))
}

function sessionFreshness(session: SessionRow, nowMs: number): { maxAge: number; staleFor: number } {
  const leftS = Math.max(0, Math.floor((session.expiresAt - nowMs) / 1000))
  const maxAge = Math.min(FRESH_S, leftS)
  return { maxAge, staleFor: Math.min(STALE_S, leftS - maxAge) }
}

/** Routes of a session's own data. */
export const ACCOUNT_ROUTES: readonly Route[] = [
  { method: 'GET', path: /^\/api\/profile$/, run: getProfile },
  { method: 'GET', path: /^\/api\/v1\/dashboard$/, run: getDashboard },
]
