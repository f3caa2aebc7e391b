/**
 * Ranges: from whole stored bodies exactly what was asked for; parts are never taken for the whole nor mixed.
 *
 * RFC 9110 sections 13.1.5, 14 and 15.3.7; RFC 9111 sections 3.3 and 3.4.
 */
import { describe, expect, it } from 'vitest'
import { createStand } from '../../support/hostile-stand.ts'
import type { FieldLine } from '../../support/raw-message.ts'
import { ago, answer, fresh, ok } from '../../support/raw-origin.ts'

const stand = createStand()
const BODY = '0123456789abcdefghij'

/** A path whose body is stored. */
async function stored(...lines: FieldLine[]): Promise<string> {
  const path = stand.serve(fresh(BODY, 'ETag: "a"', 'Content-Type: text/plain', ...lines))
  expect((await stand.get(path)).text).toBe(BODY)
  return path
}

describe('hostile: ranges of stored bodies', () => {
  it.each([
    ['bytes=0-0', '0', 'bytes 0-0/20'],
    ['bytes=5-9', '56789', 'bytes 5-9/20'],
    ['bytes=15-', 'fghij', 'bytes 15-19/20'],
    ['bytes=-5', 'fghij', 'bytes 15-19/20'],
    ['bytes=-50', BODY, 'bytes 0-19/20'],
    ['bytes=0-', BODY, 'bytes 0-19/20'],
    ['bytes=18-500', 'ij', 'bytes 18-19/20'],
    ['BYTES=0-1', '01', 'bytes 0-1/20'],
    ['bytes=0-99999999999999999999', BODY, 'bytes 0-19/20'],
  ])('answers %s with exactly that', async (range, text, contentRange) => {
    const path = await stored()
    const reply = await stand.get(path, [`Range: ${range}`])

    expect([reply.status, reply.text, reply.get('content-range')]).toEqual([206, text, contentRange])
    expect(reply.get('etag')).toBe('"a"')
    expect(stand.hits(path)).toBe(1)
  })

  it.each(['bytes=20-', 'bytes=20-30', 'bytes=-0', 'bytes=99999999999999999999-'])(
    'answers %s with 416 and the length',
    async (range) => {
      const path = await stored()
      const reply = await stand.get(path, [`Range: ${range}`])

      expect([reply.status, reply.get('content-range')]).toEqual([416, 'bytes */20'])
      expect(reply.text).not.toContain('0123')
      expect((await stand.get(path)).text).toBe(BODY)
    },
  )

  it.each([
    'bytes=',
    'bytes=-',
    'bytes=9-5',
    'bytes=a-b',
    'bytes 0-4',
    'bytes=0-4x',
    'chars=0-4',
    'bytes=0x0-0x4',
    'bytes=+0-4',
    '=0-4',
    'bytes=0--4',
  ])('does not guess what %s means: the whole, or the origin’s answer', async (range) => {
    const path = await stored()
    const reply = await stand.get(path, [`Range: ${range}`])

    expect([200, 416]).toContain(reply.status)
    if (reply.status === 200) expect(reply.text).toBe(BODY)
    expect(reply.has('content-range') && reply.status === 200).toBe(false)
  })

  it('answers several ranges as parts, or the whole', async () => {
    const path = await stored()
    const reply = await stand.get(path, ['Range: bytes=0-1,10-11,-2'])

    if (reply.status === 200) {
      expect(reply.text).toBe(BODY)
      return
    }
    const boundary = /^multipart\/byteranges; *boundary="?([^";]+)"?$/.exec(reply.get('content-type') ?? '')?.[1] ?? 'none'
    expect(reply.status).toBe(206)
    expect(reply.has('content-range')).toBe(false)
    const parts = reply.text.split(`--${boundary}`).slice(1, -1)
    expect(parts.map((part) => part.split('\r\n\r\n')[1]?.trimEnd())).toEqual(['01', 'ab', 'ij'])
    for (const part of parts) expect(part).toMatch(/content-range: bytes \d+-\d+\/20/i)
    expect(reply.text.trimEnd().endsWith(`--${boundary}--`)).toBe(true)
  })

  it('does not blow an answer up for overlapping ranges', async () => {
    const path = await stored()
    const reply = await stand.get(path, [`Range: bytes=${Array.from({ length: 500 }, () => '0-').join(',')}`])

    expect([200, 206, 416]).toContain(reply.status)
    expect(reply.body.length).toBeLessThan(2000)
  })

  it('ignores Range on HEAD', async () => {
    const path = await stored()
    const reply = await stand.ask(`HEAD ${path}`, ['Range: bytes=0-4'])

    expect([reply.status, reply.get('content-length')]).toEqual([200, '20'])
  })

  it('refuses a Range given twice, or ignores it', async () => {
    const path = await stored()
    const reply = await stand.get(path, ['Range: bytes=0-1', 'Range: bytes=5-6'])

    expect([200, 400]).toContain(reply.status)
  })

  it('answers 304 rather than a part when the client has the whole already', async () => {
    const path = await stored()

    expect((await stand.get(path, ['Range: bytes=0-1', 'If-None-Match: "a"'])).status).toBe(304)
  })

  it('ranges the bytes of the stored coding', async () => {
    const path = await stored('Content-Encoding: gzip', 'Vary: Accept-Encoding')
    const reply = await stand.get(path, ['Range: bytes=2-3'])

    expect([reply.text, reply.get('content-encoding')]).toEqual(['23', 'gzip'])
  })
})

describe('hostile: If-Range', () => {
  const modified = ago(86_400)

  it.each<[string, FieldLine[], FieldLine, number]>([
    ['the same strong tag', [], 'If-Range: "a"', 206],
    ['another strong tag', [], 'If-Range: "b"', 200],
    ['the tag in weak form', [], 'If-Range: W/"a"', 200],
    ['the tag without quotes', [], 'If-Range: a', 200],
    ['a list of tags', [], 'If-Range: "b", "a"', 200],
    ['*', [], 'If-Range: *', 200],
    ['the date of a change a day ago', [`Last-Modified: ${modified}`], `If-Range: ${modified}`, 206],
    ['a date later than the change', [`Last-Modified: ${modified}`], `If-Range: ${ago(10)}`, 200],
    ['a date before the change', [`Last-Modified: ${modified}`], `If-Range: ${ago(100_000)}`, 200],
    ['a date where there is none', [], `If-Range: ${modified}`, 200],
    ['no date at all', [`Last-Modified: ${modified}`], 'If-Range: yesterday', 200],
  ])('answers a part for %s only where it is proved to belong to the same whole', async (_, lines, condition, status) => {
    const path = await stored(...lines)
    const reply = await stand.get(path, ['Range: bytes=0-4', condition])

    expect(reply.status).toBe(status)
    expect(reply.text).toBe(status === 206 ? '01234' : BODY)
  })

  it('takes no weak tag of the origin for proof', async () => {
    const path = stand.serve(fresh(BODY, 'ETag: W/"a"'))
    await stand.get(path)
    const reply = await stand.get(path, ['Range: bytes=0-4', 'If-Range: W/"a"'])

    expect([reply.status, reply.text]).toEqual([200, BODY])
  })

  it('takes no date within a second of the answer for proof', async () => {
    const now = ago(0)
    const path = stand.serve(fresh(BODY, `Last-Modified: ${now}`, `Date: ${now}`))
    await stand.get(path)
    const reply = await stand.get(path, ['Range: bytes=0-4', `If-Range: ${now}`])

    expect([reply.status, reply.text]).toEqual([200, BODY])
  })

  it('ignores If-Range without Range', async () => {
    const path = await stored()

    expect((await stand.get(path, ['If-Range: "b"'])).status).toBe(200)
    expect(stand.hits(path)).toBe(1)
  })

  it('answers a part of what was confirmed by 304', async () => {
    const path = stand.serve(ok(['Cache-Control: max-age=10', 'Age: 20', 'ETag: "a"'], BODY), ({ request }) =>
      request.get('if-none-match') === '"a"' ? answer(304, ['ETag: "a"', 'Cache-Control: max-age=60']) : fresh(BODY, 'ETag: "a"'),
    )
    await stand.get(path)
    const reply = await stand.get(path, ['Range: bytes=0-4', 'If-Range: "a"'])

    expect([reply.status, reply.text]).toEqual([206, '01234'])
  })
})

/** A 206 of BODY. */
const part = (from: number, to: number, ...lines: FieldLine[]): Buffer =>
  answer(206, ['Cache-Control: max-age=60', `Content-Range: bytes ${from}-${to}/20`, ...lines], BODY.slice(from, to + 1))

describe('hostile: parts from the origin', () => {
  it.each<[string, FieldLine[]]>([
    ['without a tag', []],
    ['with a strong tag', ['ETag: "a"']],
    ['with a weak tag', ['ETag: W/"a"']],
  ])('never takes a part %s for the whole', async (_, lines) => {
    const path = stand.serve(({ request }) => (request.has('range') ? part(0, 4, ...lines) : fresh(BODY, ...lines)))

    expect((await stand.get(path, ['Range: bytes=0-4'])).text).toBe('01234')
    const whole = await stand.get(path)
    expect([whole.status, whole.text]).toEqual([200, BODY])
  })

  it('never answers one range with another', async () => {
    const path = stand.serve(({ request }) => {
      const [, from = '0', to = '19'] = /^bytes=(\d+)-(\d+)$/.exec(request.get('range') ?? '') ?? []
      return part(Number(from), Number(to), 'ETag: "a"')
    })

    expect((await stand.get(path, ['Range: bytes=0-4'])).text).toBe('01234')
    expect((await stand.get(path, ['Range: bytes=3-7'])).text).toBe('34567')
    expect((await stand.get(path, ['Range: bytes=0-4'])).text).toBe('01234')
  })

  it.each<[string, FieldLine, FieldLine]>([
    ['other strong tags', 'ETag: "a"', 'ETag: "b"'],
    ['weak tags', 'ETag: W/"a"', 'ETag: W/"a"'],
    ['no tags', 'X: a', 'X: a'],
  ])('never puts parts with %s together', async (_, one, two) => {
    const path = stand.serve(
      part(0, 9, one),
      answer(206, ['Cache-Control: max-age=60', 'Content-Range: bytes 10-19/20', two], 'ABCDEFGHIJ'),
      fresh('whole', two),
    )
    await stand.get(path, ['Range: bytes=0-9'])
    await stand.get(path, ['Range: bytes=10-19'])
    const whole = await stand.get(path)

    expect(whole.text).toBe('whole')
  })

  it.each<[string, FieldLine[], string]>([
    ['without Content-Range', [], '01234'],
    ['that ends beyond the whole', ['Content-Range: bytes 0-4/3'], '01234'],
    ['whose end lies before its start', ['Content-Range: bytes 4-0/20'], '01234'],
    ['with fewer bytes than it says', ['Content-Range: bytes 0-9/20'], '01234'],
    ['with more bytes than it says', ['Content-Range: bytes 0-1/20'], '01234'],
    ['of another unit', ['Content-Range: chars 0-4/20'], '01234'],
    ['of a whole it does not know', ['Content-Range: bytes 0-4/*'], '01234'],
    ['with Content-Range twice', ['Content-Range: bytes 0-4/5', 'Content-Range: bytes 0-4/20'], '01234'],
  ])('keeps nothing of a part %s', async (_, lines, body) => {
    const path = stand.serve(answer(206, ['Cache-Control: max-age=60', 'ETag: "a"', ...lines], body), fresh('whole', 'ETag: "a"'))
    await stand.get(path, ['Range: bytes=0-4'])
    const whole = await stand.get(path)

    expect([whole.status, whole.text]).toEqual([200, 'whole'])
  })

  it('does not keep a part for a request without Range as the whole', async () => {
    const path = stand.serve(part(0, 4, 'ETag: "a"'), fresh(BODY, 'ETag: "a"'))
    await stand.get(path)
    const whole = await stand.get(path)

    expect([whole.status, whole.text]).toEqual([200, BODY])
  })

  it('does not answer the whole with a 416 that was stored', async () => {
    const path = stand.serve(answer(416, ['Cache-Control: max-age=60', 'Content-Range: bytes */20']), fresh(BODY))

    await stand.get(path, ['Range: bytes=50-'])

    expect((await stand.get(path)).text).toBe(BODY)
  })

  it('does not keep a body that broke off and serve ranges from it', async () => {
    const path = stand.serve(
      (call) => {
        call.write(`HTTP/1.1 200 OK\r\nETag: "a"\r\nCache-Control: max-age=60\r\nContent-Length: 20\r\n\r\n01234`)
        call.end()
      },
      ({ request }) => (request.has('range') ? part(0, 9, 'ETag: "b"') : fresh(BODY, 'ETag: "b"')),
    )
    await stand.get(path).catch(() => undefined)
    const reply = await stand.get(path, ['Range: bytes=0-9'])

    expect(['0123456789', BODY]).toContain(reply.text)
    expect(reply.get('etag')).toBe('"b"')
  })
})
