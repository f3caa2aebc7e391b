/**
 * A webhook: somebody else's scaler behind a URL.
 *
 * Floor 4, room ops. `POST {desired, from, term, reason}`, also as `forecache-term`; 2xx: done, 409: refused, because the
 * receiver has seen a higher term.
 */
import { request } from 'undici'
import { z } from 'zod'
import { ForecacheError, textOf } from '../model/errors.ts'
import type { Scaler } from './scaler-port.ts'

/** Schema of `scaler.webhook`. */
export const WEBHOOK_SCALER = z.strictObject({
  url: z.url({ protocol: /^https?$/, error: 'expected http:// or https://' }).meta({ description: 'Where orders are posted.' }),
  headers: z
    .record(z.string().regex(/^[A-Za-z0-9-]+$/), z.string())
    .default({})
    .meta({ description: 'Fields sent along, such as an authorization.' }),
})

export function createWebhookScaler({ url, headers }: z.output<typeof WEBHOOK_SCALER>): Scaler {
  const name = `webhook ${new URL(url).host}`
  return {
    name,
    read: () => Promise.resolve({ desired: undefined }),
    async scale({ desired, from, term, reason }, signal) {
      let status: number
      try {
        const answer = await request(url, {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json', 'forecache-term': String(term) },
          body: JSON.stringify({ desired, from, term, reason }),
          signal,
        })
        await answer.body.dump()
        status = answer.statusCode
      } catch (cause) {
        throw new ForecacheError(
          'FC_SCALER_FAILED',
          { name, reason: cause instanceof Error ? cause.message : textOf(cause) },
          { cause },
        )
      }
      if (status === 409) throw new ForecacheError('FC_SCALER_REFUSED', { name, reason: `term ${term} is not the highest` })
      if (status < 200 || status > 299) throw new ForecacheError('FC_SCALER_FAILED', { name, reason: `answered ${status}` })
    },
  }
}
