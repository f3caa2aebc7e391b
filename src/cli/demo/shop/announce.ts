/**
 * Tells forecache what a write changed: `POST /v1/invalidate` with the tags, answered before the writer is.
 *
 * Floor 6, room cli. Bounded by a deadline: a cache that does not answer must not hold a sale.
 */

const DEADLINE_MS = 1000

/**
 * @param api base URL of forecache's administration, such as `http://127.0.0.1:8081`
 * @param apiKey sent as `x-api-key`
 */
export function announceTo(api: string, apiKey?: string): (changed: readonly string[]) => Promise<void> {
  const url = new URL('/v1/invalidate', api)
  const headers = { 'content-type': 'application/json', ...(apiKey === undefined ? {} : { 'x-api-key': apiKey }) }
  return async (changed) => {
    const answer = await fetch(url, {
      method: 'POST',
      headers,
      body: JSON.stringify({ tags: changed }),
      signal: AbortSignal.timeout(DEADLINE_MS),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${url.href} answered ${answer.status}: ${text.slice(0, 200)}`)
  }
}
