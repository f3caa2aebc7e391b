/**
 * Who asks: the session cookie, checked against the database on every request that needs it.
 *
 * Floor 6, room cli.
 */
import type { Call } from './call.ts'
import { PERMISSIONS, SESSION, type SessionRow } from './queries.ts'

/** The cookie's name. */
export const SESSION_COOKIE = 'session'

/** The session of a call, or undefined when there is none that is still good. One stage. */
export async function findSession(call: Call): Promise<SessionRow | undefined> {
  const token = readCookie(call.request.headers.cookie, SESSION_COOKIE)
  if (token === undefined) return undefined
  const rows = await call.stages.run('session', () => call.source.rows(SESSION, [token, call.nowMs]))
  return rows[0]
}

/** What a role may do. One stage. */
export async function findPermissions(call: Call, role: string): Promise<ReadonlySet<string>> {
  const rows = await call.stages.run('permissions', () => call.source.rows(PERMISSIONS, [role]))
  return new Set(rows.map((row) => row.permission))
}

/** Value of a cookie; undefined when absent. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  for (const part of (header ?? '').split(';')) {
    const at = part.indexOf('=')
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim()
  }
  return undefined
}
