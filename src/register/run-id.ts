/**
 * Which run of which server answers: the random name that INFO gives.
 *
 * Floor 5, room register. Pure.
 */

/** @param info the reply to INFO, as text or bytes @returns '' where it does not say */
export function runIdOf(info: unknown): string {
  if (typeof info !== 'string' && !Buffer.isBuffer(info)) return ''
  return /^run_id:([0-9a-f]+)/m.exec(info.toString())?.[1] ?? ''
}
