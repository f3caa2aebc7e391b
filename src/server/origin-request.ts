/**
 * A request's content on its way to the origin: hands chunks on, telling when it waits for the client.
 *
 * Floor 5, room server. The origin's deadline counts only while the origin is awaited, never while the client is; and
 * `return()` reaches the client's side at once, even while a chunk is awaited.
 */
import type { BodySource } from '../model/exchange.ts'

/** Whom a sending waits for: `client` while the next chunk is asked for, `origin` at all other times. */
export type OnWait = (whom: 'client' | 'origin') => void

/** A body that can be given up from outside. */
export interface MeteredBody extends BodySource {
  cancel(): void
}

/** @param body the client's content */
export function meterBody(body: BodySource, onWait: OnWait): MeteredBody {
  const source = body[Symbol.asyncIterator]()
  const cancel = (): void => void source.return?.().catch(() => {})
  return {
    cancel,
    [Symbol.asyncIterator]: () => ({
      async next() {
        onWait('client')
        const step = await source.next()
        onWait('origin')
        return step
      },
      return() {
        cancel()
        return Promise.resolve({ value: undefined, done: true })
      },
    }),
  }
}
