/**
 * What every writer of answers needs: fields that belong to the connection, waiting for who takes too slowly, letting go.
 *
 * Floor 4, room http.
 */
import type { Reply } from '../model/exchange.ts'

/** Fields of the connection: whoever writes an answer sets them himself (RFC 9110 section 7.6.1). */
export const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'te',
])

/** What is written to. */
interface Outgoing {
  readonly destroyed: boolean
  readonly writableNeedDrain?: boolean
  on(event: 'drain' | 'close', listener: () => void): unknown
  off(event: 'drain' | 'close', listener: () => void): unknown
}

/** Resolves when there is room again, or nobody is left to write to. */
export function drained(out: Outgoing): Promise<void> {
  if (out.destroyed || out.writableNeedDrain === false) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      out.off('drain', done)
      out.off('close', done)
      resolve()
    }
    out.on('drain', done)
    out.on('close', done)
  })
}

/** A body that nobody will read lets go of what it holds. */
export function discard(body: Reply['body']): void {
  if (body === undefined || body instanceof Uint8Array) return
  void body[Symbol.asyncIterator]()
    .return?.()
    .catch(() => {})
}
