/**
 * A request's content, read up to a limit and sent on as if it had not been read.
 *
 * Floor 4, room http.
 */
import type { BodySource } from '../model/exchange.ts'

/** What was read. */
export interface Content {
  readonly chunks: readonly Uint8Array[]
  /** What follows when the limit was reached; undefined: that was all. */
  readonly rest: AsyncIterator<Uint8Array> | undefined
}

/** Reads until the end, or until more than `maxBytes` have come. @throws what the source throws */
export async function readContent(body: BodySource, maxBytes: number): Promise<Content> {
  const source = body[Symbol.asyncIterator]()
  const chunks: Uint8Array[] = []
  let bytes = 0
  for (;;) {
    const step = await source.next()
    if (step.done === true) return { chunks, rest: undefined }
    chunks.push(Uint8Array.from(step.value)) // a source may use its buffer again
    bytes += step.value.byteLength
    if (bytes > maxBytes) return { chunks, rest: source }
  }
}

/** The content as a source again; without a rest it can be read any number of times. */
export function replay(content: Content): BodySource {
  return {
    async *[Symbol.asyncIterator]() {
      yield* content.chunks
      if (content.rest === undefined) return
      try {
        for (;;) {
          const step = await content.rest.next()
          if (step.done === true) return
          yield step.value
        }
      } finally {
        await content.rest.return?.()
      }
    },
  }
}
