import { describe, expect, it } from 'vitest'
import {
  BROKEN,
  LARGE,
  NEEDS_MORE,
  PIECE,
  REQUEST,
  REQUEST_LIMITS,
  type RequestLimits,
  RequestScanner,
} from '../../../src/wire/resp-request.ts'

function scannerFor(limits: Partial<RequestLimits> = {}, isTrusted = true): RequestScanner {
  return new RequestScanner({ ...REQUEST_LIMITS, ...limits }, isTrusted)
}

function words({ bytes, starts, ends, count }: RequestScanner): string[] {
  return Array.from({ length: count }, (_, i) => bytes.toString('latin1', starts[i], ends[i]))
}

/** All requests as lists of words, then the fault. */
function read(scanner: RequestScanner, ...chunks: readonly string[]): (string[] | string)[] {
  const found: (string[] | string)[] = []
  for (const chunk of chunks) {
    scanner.push(Buffer.from(chunk, 'latin1'))
    for (let step = scanner.next(); step !== NEEDS_MORE; step = scanner.next()) {
      if (step === BROKEN) return [...found, scanner.faultText]
      if (step === REQUEST) found.push(words(scanner))
    }
  }
  return found
}

describe('resp-request: framing', () => {
  it('gives requests of one chunk one after another, with their places in the chunk itself', () => {
    const chunk = Buffer.from('*2\r\n$3\r\nGET\r\n$1\r\na\r\n*1\r\n$4\r\nPING\r\n', 'latin1')
    const scanner = scannerFor()
    scanner.push(chunk)
    expect(scanner.next()).toBe(REQUEST)
    expect([scanner.start, scanner.end, scanner.count]).toEqual([0, 20, 2])
    expect(scanner.bytes).toBe(chunk)
    expect(words(scanner)).toEqual(['GET', 'a'])
    expect(scanner.next()).toBe(REQUEST)
    expect([scanner.start, scanner.end]).toEqual([20, chunk.length])
    expect(scanner.next()).toBe(NEEDS_MORE)
    expect(scanner.isIdle).toBe(true)
    expect(scanner.keptBytes).toBe(0)
  })

  it('keeps of a request that is cut its own bytes only, and lends none that it writes to again', () => {
    const scanner = scannerFor()
    scanner.push(Buffer.from('*1\r\n$4\r\nPING\r\n*2\r\n$3\r\nGE'))
    expect(scanner.next()).toBe(REQUEST)
    expect(scanner.next()).toBe(NEEDS_MORE)
    expect(scanner.isIdle).toBe(false)
    expect(scanner.keptBytes).toBeLessThan(1024)
    scanner.push(Buffer.from('T\r\n$1\r\na\r\n*2\r\n$3\r\nGET\r\n$1\r'))
    expect(scanner.next()).toBe(REQUEST)
    const kept = scanner.bytes.subarray(scanner.start, scanner.end)
    expect(scanner.next()).toBe(NEEDS_MORE)
    scanner.push(Buffer.from('\nb\r\n'))
    expect(scanner.next()).toBe(REQUEST)
    expect(words(scanner)).toEqual(['GET', 'b'])
    expect(kept.toString()).toBe('*2\r\n$3\r\nGET\r\n$1\r\na\r\n')
  })

  it('reads many arguments, and empty ones', () => {
    const many = Array.from({ length: 1000 }, (_, i) => (i % 3 === 0 ? '' : `v${i}`))
    const text = `*1000\r\n${many.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`
    expect(read(scannerFor(), text.slice(0, 5001), text.slice(5001))).toEqual([many])
  })

  it('passes over empty and negative counts and empty lines', () => {
    expect(read(scannerFor(), '*0\r\n*-1\r\n\r\n \t\r\n\nPING\r\n')).toEqual([['PING']])
  })

  it('does not look at the two bytes behind an argument, as Redis, and says so', () => {
    const scanner = scannerFor()
    scanner.push(Buffer.from('*1\r\n$4\r\nPINGxy*1\r\n$4\r\nPING\r\n'))
    expect(scanner.next()).toBe(REQUEST)
    expect(scanner.isExact).toBe(false)
    expect(scanner.next()).toBe(REQUEST)
    expect(scanner.isExact).toBe(true)
  })
})

describe('resp-request: inline commands', () => {
  it('gives the request that a line stands for, then goes on with the chunk', () => {
    const scanner = scannerFor()
    scanner.push(Buffer.from("set \"a\\x20\\n\" 'b\\'c'  d\r\n*1\r\n$4\r\nPING\r\n"))
    expect(scanner.next()).toBe(REQUEST)
    expect(scanner.isInline).toBe(true)
    expect(scanner.bytes.toString('latin1', scanner.start, scanner.end)).toBe(
      "*4\r\n$3\r\nset\r\n$3\r\na \n\r\n$3\r\nb'c\r\n$1\r\nd\r\n",
    )
    expect(scanner.next()).toBe(REQUEST)
    expect(scanner.isInline).toBe(false)
    expect(words(scanner)).toEqual(['PING'])
  })

  it('never ends a line that holds a zero byte, until it is too long', () => {
    const scanner = scannerFor()
    expect(read(scanner, 'PI\0NG\r\nPING\r\n')).toEqual([])
    expect(read(scanner, 'x'.repeat(70_000))).toEqual(['-ERR Protocol error: too big inline request\r\n'])
  })

  it('takes a line of 64 KiB and refuses a longer one, whole or not', () => {
    const line = `ECHO ${'x'.repeat(65_536 - 5)}`
    expect(read(scannerFor(), `${line}\n`)).toEqual([line.split(' ')])
    expect(read(scannerFor(), `${line}x\n`)).toEqual(['-ERR Protocol error: too big inline request\r\n'])
    expect(read(scannerFor(), `${line}x`, '\n')).toEqual(['-ERR Protocol error: too big inline request\r\n'])
  })
})

describe('resp-request: limits', () => {
  it('counts ten arguments and 16 KiB enough for a client without a password, from line to line', () => {
    const scanner = scannerFor({}, false)
    expect(read(scanner, `*10\r\n${'$1\r\nx\r\n'.repeat(10)}`)).toHaveLength(1)
    expect(read(scannerFor({}, false), '*11\r\n')).toEqual(['-ERR Protocol error: unauthenticated multibulk length\r\n'])
    expect(read(scannerFor({}, false), '*1\r\n$16385\r\n')).toEqual(['-ERR Protocol error: unauthenticated bulk length\r\n'])
    scanner.isTrusted = true
    expect(read(scanner, `*11\r\n${'$1\r\nx\r\n'.repeat(11)}`)).toHaveLength(1)
  })

  it('takes limits as they are now', () => {
    const limits = { ...REQUEST_LIMITS, maxBulkBytes: 3 }
    const scanner = new RequestScanner(limits, true)
    expect(read(scanner, '*1\r\n$3\r\nabc\r\n')).toHaveLength(1)
    limits.maxBulkBytes = 2
    expect(read(scanner, '*1\r\n$3\r\n')).toEqual(['-ERR Protocol error: invalid bulk length\r\n'])
  })

  it('hangs up without a word on an unfinished request beyond its limit', () => {
    const scanner = scannerFor({ maxRequestBytes: 100 })
    scanner.push(Buffer.from(`*2\r\n$90\r\n${'x'.repeat(95)}`))
    expect(scanner.next()).toBe(BROKEN)
    expect(scanner.fault).toBe('tooMuch')
    expect(scanner.faultText).toBe('')
    expect(scanner.next()).toBe(BROKEN)
  })

  it('does not make room for what is only announced', () => {
    const scanner = scannerFor({ largeBytes: Number.POSITIVE_INFINITY })
    expect(read(scanner, '*2\r\n$3\r\nSET\r\n$500000000\r\nx')).toEqual([])
    expect(scanner.keptBytes).toBeLessThan(1024)
    expect(read(scanner, 'y'.repeat(1000))).toEqual([])
    expect(scanner.keptBytes).toBeLessThan(10_000)
  })
})

describe('resp-request: large requests', () => {
  const head = '*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$100\r\n'

  it('announces one with the arguments before the large one, and gives the rest in pieces', () => {
    const scanner = scannerFor({ largeBytes: 50 })
    scanner.push(Buffer.from(`${head}abc`))
    expect(scanner.next()).toBe(LARGE)
    expect(words(scanner)).toEqual(['SET', 'k'])
    expect(scanner.declared).toBe(3)
    let all = scanner.bytes.toString('latin1', scanner.start, scanner.end)
    scanner.stream()
    expect(scanner.next()).toBe(NEEDS_MORE)
    expect(scanner.keptBytes).toBe(0)
    for (const chunk of ['d'.repeat(50), `${'e'.repeat(47)}\r`, '\n*1\r\n$4\r\nPING\r\n']) {
      scanner.push(Buffer.from(chunk))
      expect(scanner.next()).toBe(PIECE)
      all += scanner.bytes.toString('latin1', scanner.start, scanner.end)
      if (!scanner.isLast) expect(scanner.next()).toBe(NEEDS_MORE)
    }
    expect(all).toBe(`${head}abc${'d'.repeat(50)}${'e'.repeat(47)}\r\n`)
    expect(scanner.isLast).toBe(true)
    expect(scanner.next()).toBe(REQUEST)
    expect(words(scanner)).toEqual(['PING'])
  })

  it('collects one that nobody wants streamed, and announces it once', () => {
    const scanner = scannerFor({ largeBytes: 50 })
    scanner.push(Buffer.from(`${head}abc`))
    expect(scanner.next()).toBe(LARGE)
    expect(scanner.next()).toBe(NEEDS_MORE)
    scanner.push(Buffer.from('d'.repeat(50)))
    expect(scanner.next()).toBe(NEEDS_MORE)
    scanner.push(Buffer.from(`${'d'.repeat(47)}\r\n`))
    expect(scanner.next()).toBe(REQUEST)
    expect(words(scanner)).toEqual(['SET', 'k', `abc${'d'.repeat(97)}`])
  })

  it('finds faults within one that is streamed', () => {
    const scanner = scannerFor({ largeBytes: 50 })
    scanner.push(Buffer.from('*2\r\n$100\r\nabc'))
    expect(scanner.next()).toBe(LARGE)
    scanner.stream()
    expect(read(scanner, `${'x'.repeat(97)}\r\n+1\r\n`)).toEqual(["-ERR Protocol error: expected '$', got '+'\r\n"])
  })

  it('does not announce one that lies whole within a chunk', () => {
    expect(read(scannerFor({ largeBytes: 50 }), `${head}${'x'.repeat(100)}\r\n`)).toHaveLength(1)
  })
})
