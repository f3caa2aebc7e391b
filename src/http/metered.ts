/**
 * Times an answer to its end: a complete body when it is handed over, a stream when its last chunk was taken or it broke.
 *
 * Floor 4, room http. Complete bodies cost one addition to a histogram; streams one small object each.
 */
import type { BodySource, Reply } from '../model/exchange.ts'

/** The same reply; `end` is called once. A stream that is never begun is never timed. */
export function timeReply(reply: Reply, end: () => void): Reply {
  const { body } = reply
  if (body === undefined || body instanceof Uint8Array) {
    end()
    return reply
  }
  return { ...reply, body: timed(body, end) }
}

function timed(body: BodySource, end: () => void): BodySource {
  return {
    [Symbol.asyncIterator]() {
      const source = body[Symbol.asyncIterator]()
      let left = true
      const once = (): void => {
        if (left) end()
        left = false
      }
      return {
        async next() {
          try {
            const step = await source.next()
            if (step.done === true) once()
            return step
          } catch (error) {
            once()
            throw error
          }
        },
        async return() {
          once()
          await source.return?.()
          return { value: undefined, done: true }
        },
      }
    },
  }
}
