import { describe, expect, it, vi } from 'vitest'
import { timeReply } from '../../../src/http/metered.ts'
import type { BodySource, Reply } from '../../../src/model/exchange.ts'
import { Fields } from '../../../src/model/fields.ts'

function replyWith(body: Reply['body']): Reply {
  return {
    head: { status: 200, statusText: 'OK', fields: Fields.from() },
    body,
    outcome: { cache: 'MISS', cached: false, stale: false, route: 'default' },
  }
}

async function* chunks(error?: Error): AsyncGenerator<Uint8Array> {
  yield Buffer.from('a')
  if (error !== undefined) throw error
  yield Buffer.from('b')
}

describe('metered: an answer timed to its end', () => {
  it('times a complete body at once and hands the same reply on', () => {
    const end = vi.fn()
    const reply = replyWith(Buffer.from('x'))

    expect(timeReply(reply, end)).toBe(reply)
    expect(end).toHaveBeenCalledTimes(1)
  })

  it('times a stream at its last chunk, bytes unchanged', async () => {
    const end = vi.fn()
    const body = timeReply(replyWith(chunks()), end).body as BodySource
    let text = ''

    for await (const chunk of body) {
      expect(end).not.toHaveBeenCalled()
      text += Buffer.from(chunk).toString()
    }

    expect(text).toBe('ab')
    expect(end).toHaveBeenCalledTimes(1)
  })

  it('times a stream that breaks, and hands the error on', async () => {
    const end = vi.fn()
    const iterator = (timeReply(replyWith(chunks(new Error('broken'))), end).body as BodySource)[Symbol.asyncIterator]()
    await iterator.next()

    await expect(iterator.next()).rejects.toThrow('broken')
    expect(end).toHaveBeenCalledTimes(1)
  })

  it('times a stream whose client left, and cancels the source', async () => {
    const end = vi.fn()
    const source = chunks()
    const cancelled = vi.spyOn(source, 'return')
    const iterator = (timeReply(replyWith(source), end).body as BodySource)[Symbol.asyncIterator]()
    await iterator.next()

    await iterator.return?.()
    await iterator.return?.()

    expect(cancelled).toHaveBeenCalled()
    expect(end).toHaveBeenCalledTimes(1)
  })
})
