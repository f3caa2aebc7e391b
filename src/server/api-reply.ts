/**
 * An endpoint's answer as the listener writes it.
 *
 * Floor 5, room server. Pure; text in streams becomes bytes chunk by chunk.
 */
import { STATUS_CODES } from 'node:http'
import type { ApiReply } from '../model/endpoint.ts'
import type { BodySource, Reply } from '../model/exchange.ts'
import { Fields } from '../model/fields.ts'
import { NO_CACHE } from './refuse.ts'

export function httpReply(reply: ApiReply): Reply {
  const { status, fields, body } = reply
  const bytes =
    typeof body === 'string' ? Buffer.from(body) : body instanceof Uint8Array || body === undefined ? body : encoded(body)
  return { head: { status, statusText: STATUS_CODES[status] ?? '', fields: Fields.from(fields) }, body: bytes, outcome: NO_CACHE }
}

function encoded(body: AsyncIterable<string | Uint8Array>): BodySource {
  return {
    [Symbol.asyncIterator]() {
      const source = body[Symbol.asyncIterator]()
      return {
        async next() {
          const step = await source.next()
          if (step.done === true) return { value: undefined, done: true }
          return { value: typeof step.value === 'string' ? Buffer.from(step.value) : step.value, done: false }
        },
        async return() {
          await source.return?.()
          return { value: undefined, done: true }
        },
      }
    },
  }
}
