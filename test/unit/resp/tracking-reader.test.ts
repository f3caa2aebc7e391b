import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hashText } from '../../../src/resp/coherence-hash.ts'
import { type Reply, ReplyError, TrackingReader } from '../../../src/resp/tracking-reader.ts'

interface Seen {
  readonly replies: Reply[]
  readonly hashes: number[]
  flushes: number
}

function readerOf(maxBytes = 1024): { seen: Seen; reader: TrackingReader } {
  const seen: Seen = { replies: [], hashes: [], flushes: 0 }
  const reader = new TrackingReader(
    {
      reply: (value) => seen.replies.push(value),
      invalidated: (hash) => seen.hashes.push(hash),
      invalidatedAll: () => {
        seen.flushes += 1
      },
    },
    maxBytes,
  )
  return { seen, reader }
}

const push = (...keys: readonly string[]): string =>
  `>2\r\n$10\r\ninvalidate\r\n*${keys.length}\r\n${keys.map((key) => `$${Buffer.byteLength(key)}\r\n${key}\r\n`).join('')}`

const STREAM = [
  '+OK\r\n',
  push('a', 'ключ', ''),
  ':42\r\n',
  '%2\r\n+proto\r\n:3\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n',
  '>2\r\n$10\r\ninvalidate\r\n_\r\n',
  '*3\r\n$-1\r\n_\r\n*0\r\n',
  '-ERR no\r\n',
  '!9\r\nERR worse\r\n',
  '|1\r\n+ttl\r\n:3\r\n~2\r\n#t\r\n,1.5\r\n',
  '=7\r\ntxt:abc\r\n',
  '>3\r\n+message\r\n+c\r\n+m\r\n',
  push('last'),
].join('')

function check(seen: Seen): void {
  expect(seen.hashes).toEqual(['a', 'ключ', '', 'last'].map(hashText))
  expect(seen.flushes).toBe(1)
  expect(seen.replies).toEqual([
    'OK',
    42,
    ['proto', 3, 'mode', 'standalone'],
    [null, null, []],
    new ReplyError('ERR no'),
    new ReplyError('ERR worse'),
    [true, 1.5],
    'abc',
  ])
}

describe('TrackingReader', () => {
  it('reads replies and invalidations in order', () => {
    const { seen, reader } = readerOf()
    reader.read(Buffer.from(STREAM))

    check(seen)
  })

  it('reads them the same however the bytes are cut', () => {
    const bytes = Buffer.from(STREAM)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 200 }), (cuts) => {
        const { seen, reader } = readerOf()
        let at = 0
        for (let i = 0; at < bytes.length; i += 1) {
          const next = Math.min(bytes.length, at + (cuts[i % cuts.length] as number))
          reader.read(Buffer.from(bytes.subarray(at, next)))
          at = next
        }

        check(seen)
      }),
    )
  })

  it('takes an old server that answers invalidate with a RESP2 null array for a flush', () => {
    const { seen, reader } = readerOf()
    reader.read(Buffer.from('>2\r\n$10\r\ninvalidate\r\n*-1\r\n'))

    expect(seen.flushes).toBe(1)
  })

  it('refuses what is no RESP3 instead of guessing', () => {
    const refused = ['GET / HTTP/1.1\r\n', '$x\r\n', '*-2\r\n', '+OK\n', '$5000\r\n', `${'*1\r\n'.repeat(30)}`, '*99999\r\n']
    for (const text of [...refused, '>2\r\n$10\r\ninvalidate\r\n*1\r\n:5\r\n', 'x'.repeat(5000)]) {
      const { reader } = readerOf()

      expect(() => reader.read(Buffer.from(text)), text.slice(0, 20)).toThrow(RangeError)
    }
  })

  it('never does anything but read or refuse', () => {
    const noise = fc.array(
      fc.constantFrom(
        '>2\r\n',
        '*1\r\n',
        '$1\r\n',
        'a\r\n',
        '_\r\n',
        '%1\r\n',
        ':1\r\n',
        '$10\r\ninvalidate\r\n',
        '\r',
        '\n',
        '|1\r\n',
        '~1\r\n',
      ),
    )
    fc.assert(
      fc.property(noise, (parts) => {
        const { reader } = readerOf()
        try {
          for (const part of parts) reader.read(Buffer.from(part))
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError)
        }
      }),
      { numRuns: 5000 },
    )
  })
})
