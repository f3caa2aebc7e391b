/**
 * Requests that two readers could read differently are refused, the connection ends, and nothing behind them is served.
 *
 * RFC 9112 sections 2.2, 3, 5, 6, 7 and 11.2; RFC 9110 sections 5.5, 7.2 and 8.6.
 */
import { describe, expect, it } from 'vitest'
import { createStand } from '../../support/hostile-stand.ts'
import { fresh, ok } from '../../support/raw-origin.ts'

const stand = createStand()

const HOST = 'Host: a.test'
const SMUGGLED = `GET /smuggled HTTP/1.1\r\n${HOST}\r\n\r\n`

/** The origin knows no such path: reaching it fails the file. */
function get(...lines: readonly string[]): string {
  return `GET /never HTTP/1.1\r\n${[HOST, ...lines].join('\r\n')}\r\n\r\n`
}

function post(lines: readonly string[], body = `0\r\n\r\n${SMUGGLED}`): string {
  return `POST /never HTTP/1.1\r\n${[HOST, ...lines].join('\r\n')}\r\n\r\n${body}`
}

const line = (start: string, host = HOST): string => `${start}\r\n${host}\r\n\r\n`
const hosted = (...hosts: readonly string[]): string =>
  `GET /never HTTP/1.1\r\n${hosts.map((host) => `Host:${host}\r\n`).join('')}\r\n`
const chunked = (body: string): string => post(['Transfer-Encoding: chunked'], body)

const AMBIGUOUS: [name: string, bytes: string, status?: number][] = [
  ['two lengths that differ', post(['Content-Length: 5', 'Content-Length: 6'])],
  ['two lengths that agree', post(['Content-Length: 5', 'Content-Length: 5'])],
  ['a list of lengths', post(['Content-Length: 5, 5'])],
  ['a length with a sign', post(['Content-Length: +5'])],
  ['a negative length', post(['Content-Length: -5'])],
  ['a hexadecimal length', post(['Content-Length: 0x5'])],
  ['a length with an exponent', post(['Content-Length: 1e1'])],
  ['a length with a space inside', post(['Content-Length: 5 0'])],
  ['an empty length', post(['Content-Length:'])],
  ['a length beyond 64 bits', post(['Content-Length: 18446744073709551621'])],
  ['a length and a transfer coding', post(['Content-Length: 5', 'Transfer-Encoding: chunked'])],
  ['a transfer coding and a length', post(['Transfer-Encoding: chunked', 'Content-Length: 5'])],
  ['a transfer coding given twice', post(['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'])],
  ['chunked applied twice', post(['Transfer-Encoding: chunked, chunked'])],
  ['chunked that is not the last coding', post(['Transfer-Encoding: chunked, identity'])],
  ['an empty transfer coding beside a length', post(['Transfer-Encoding:', 'Content-Length: 5'])],
  ['a transfer coding behind a vertical tab', post(['Transfer-Encoding: \x0bchunked'])],
  ['a transfer coding in quotes', post(['Transfer-Encoding: "chunked"'])],
  ['a space before the colon', post(['Transfer-Encoding : chunked'])],
  ['a space before the first field', `GET /never HTTP/1.1\r\n X: y\r\n${HOST}\r\n\r\n`],
  ['a folded field', get('X: a', ' b')],
  ['a folded transfer coding', post(['Transfer-Encoding:', ' chunked'])],
  ['a field folded by a tab', get('X: a', '\tb')],
  ['a bare CR in a value', get('X: a\rb')],
  ['a bare CR that hides a field', get('X: a\rTransfer-Encoding: chunked')],
  ['a bare LF between fields', `GET /never HTTP/1.1\r\n${HOST}\nX: a\r\n\r\n`],
  ['bare LFs throughout', `GET /never HTTP/1.1\n${HOST}\n\n${SMUGGLED}`],
  ['a bare LF before the end of the head', `GET /never HTTP/1.1\r\n${HOST}\r\nX: a\n\r\n`],
  ['NUL in a value', get('X: a\0b')],
  ['NUL in a name', get('X\0: a')],
  ['a control character in a value', get('X: a\x01b')],
  ['a field without a name', get(': a')],
  ['a field without a colon', get('X')],
  ['a name with a space inside', get('X Y: a')],
  ['a name with a slash inside', get('X/Y: a')],
  ['a name beyond ASCII', get('X\xe9: a')],
  ['two Hosts that differ', hosted(' a.test', ' b.test')],
  ['two Hosts that agree', hosted(' a.test', ' a.test')],
  ['no Host', 'GET /never HTTP/1.1\r\nX: a\r\n\r\n'],
  ['an empty Host', hosted('')],
  ['a list of Hosts', hosted(' a.test, b.test')],
  ['a Host with a space inside', hosted(' a.test b.test')],
  ['a Host with a path', hosted(' a.test/x')],
  ['a Host with a user', hosted(' u@a.test')],
  ['a Host with a query', hosted(' a.test?x')],
  ['a Host with two ports', hosted(' a.test:80:81')],
  ['a Host with a port beyond 65535', hosted(' a.test:65536')],
  ['a Host with a port in letters', hosted(' a.test:http')],
  ['a Host with a backslash', hosted(' a.test\\b')],
  ['no version', line('GET /never')],
  ['a version in small letters', line('GET /never http/1.1')],
  ['a version with two digits', line('GET /never HTTP/1.10')],
  ['a space inside the target', line('GET /never /x HTTP/1.1')],
  ['a tab behind the method', line('GET\t/never HTTP/1.1')],
  ['a space before the method', line(' GET /never HTTP/1.1')],
  ['a space behind the version', line('GET /never HTTP/1.1 ')],
  ['a target beyond ASCII', line('GET /never\xff HTTP/1.1')],
  ['a NUL in the target', line('GET /never\0 HTTP/1.1')],
  ['a fragment in the target', line('GET /never#x HTTP/1.1')],
  ['a target without a slash', line('GET never HTTP/1.1')],
  ['the target * of a GET', line('GET * HTTP/1.1')],
  ['a target of another scheme', line('GET ftp://a.test/never HTTP/1.1')],
  ['a target with a user', line('GET http://u@a.test/never HTTP/1.1')],
  ['a method in small letters', line('get /never HTTP/1.1')],
  ['an HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['bytes of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ['a chunk size in letters', chunked('xyz\r\n')],
  ['a negative chunk size', chunked('-1\r\n')],
  ['a chunk size with 0x', chunked('0x5\r\nhello\r\n0\r\n\r\n')],
  ['an empty chunk size', chunked('\r\nhello\r\n0\r\n\r\n')],
  ['a chunk size beyond 64 bits', chunked('10000000000000005\r\nhello\r\n0\r\n\r\n')],
  ['a space before a chunk size', chunked(' 5\r\nhello\r\n0\r\n\r\n')],
  ['a chunk longer than its size', chunked(`4\r\nhello\r\n0\r\n\r\n${SMUGGLED}`)],
  ['a chunk size ended by a bare LF', chunked('5\nhello\r\n0\r\n\r\n')],
  ['a chunk ended by a bare LF', chunked('5\r\nhello\n0\r\n\r\n')],
  ['a chunk extension ended by a bare LF', chunked(`5;a=b\nhello\r\n0\r\n\r\n`)],
  ['a chunk extension with a bare CR', chunked('5;a\rb\r\nhello\r\n0\r\n\r\n')],
  ['a last chunk ended by a bare LF', chunked(`0\n\n${SMUGGLED}`)],
  ['a trailer with a space before its colon', chunked('5\r\nhello\r\n0\r\nX : y\r\n\r\n')],
  ['chunk extensions without end', chunked(`5;${'a'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`), 413],
]

describe('hostile: ambiguous requests', () => {
  it.each(AMBIGUOUS.map(([name, bytes, other = 400]) => [name, bytes, other] as const))(
    'refuses %s and ends the connection',
    async (_, bytes, other) => {
      const client = stand.open().write(bytes)
      const refused = await client.answer()

      expect([400, 501, 505, other]).toContain(refused.status)
      expect(refused.complete).toBe(true)
      expect(refused.get('connection')).toBe('close')
      expect(await client.rest()).toBe('')
    },
  )

  it.each([
    ['gzip', 'gzip'],
    ['gzip before chunked', 'gzip, chunked'],
    ['identity', 'identity'],
    ['something like chunked', 'xchunked'],
    ['chunked with a parameter', 'chunked;q=1'],
  ])('refuses the transfer coding %s: no reader behind it need understand it', async (_, coding) => {
    const client = stand.open().write(post([`Transfer-Encoding: ${coding}`]))

    expect([400, 501]).toContain((await client.answer()).status)
    expect(await client.rest()).toBe('')
  })

  it.each([
    ['HTTP/1.0', 'POST /never HTTP/1.0', 400],
    ['HTTP/2.0', 'POST /never HTTP/2.0', 505],
  ])('refuses a transfer coding in %s', async (_, start, status) => {
    const client = stand.open().write(`${start}\r\n${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`)

    expect([400, status]).toContain((await client.answer()).status)
    expect(await client.rest()).toBe('')
  })
})

describe('hostile: requests beyond a limit', () => {
  it.each<[string, string, number]>([
    ['a head of 40 KiB', get(`X: ${'a'.repeat(40_000)}`), 431],
    ['a name of 40 KiB', get(`${'X'.repeat(40_000)}: a`), 431],
    ['300 fields', get(...Array.from({ length: 300 }, (_, i) => `X${i}: a`)), 431],
    ['a target of 9 KiB', line(`GET /${'a'.repeat(9000)} HTTP/1.1`), 414],
    ['a body of 2 GiB', post(['Content-Length: 2147483648'], 'x'), 413],
    ['an expectation that nobody understands', get('Expect: 200-ok'), 417],
    ['CONNECT', line('CONNECT a.test:443 HTTP/1.1'), 405],
    ['TRACE', line('TRACE /never HTTP/1.1'), 405],
  ])('refuses %s', async (_, bytes, status) => {
    const client = stand.open().write(bytes)
    const refused = await client.answer()

    expect(refused.status).toBe(status)
    expect(await client.rest()).toBe('')
  })
})

describe('hostile: several requests on one connection', () => {
  it('answers pipelined requests in their order, a slow one first', async () => {
    const slow = stand.serve(async () => {
      await new Promise((resolve) => setTimeout(resolve, 50))
      return ok([], 'slow')
    })
    const quick = stand.serve(ok([], 'quick'))
    const client = stand.open().ask(`GET ${slow}`).ask(`GET ${quick}`)

    expect((await client.answer()).text).toBe('slow')
    expect((await client.answer()).text).toBe('quick')
    client.destroy()
  })

  it('answers what came before an ambiguous request, and nothing behind it', async () => {
    const path = stand.serve(ok([], 'first'))
    const client = stand
      .open()
      .ask(`GET ${path}`)
      .write(post(['Content-Length: 1', 'Content-Length: 2']))
      .write(SMUGGLED)

    expect((await client.answer()).text).toBe('first')
    expect((await client.answer()).status).toBe(400)
    expect(await client.rest()).toBe('')
  })

  it('reads exactly as much content as was announced, the rest being the next request', async () => {
    const path = stand.serve(({ request }) => ok([], `${request.method} ${request.body.toString()}`))
    const client = stand.open().ask(`POST ${path}`, ['Content-Length: 5'], `hello${`GET ${path}?q HTTP/1.1\r\n${HOST}\r\n\r\n`}`)

    expect((await client.answer()).text).toBe('POST hello')
    expect((await client.answer()).text).toBe('GET ')
    client.destroy()
  })

  it('skips an empty line before a request', async () => {
    const path = stand.serve(ok([], 'there'))

    const client = stand.open().write('\r\n').ask(`GET ${path}`)

    expect((await client.answer()).text).toBe('there')
    client.destroy()
  })

  it('closes behind an answer for which content was left unread, so that no content is read as a request', async () => {
    const path = stand.serve(fresh('kept'))
    await stand.get(path)
    const client = stand.open().ask(`POST /never`, ['Content-Length: 3000000000'], SMUGGLED)

    expect((await client.answer()).status).toBe(413)
    expect(await client.rest()).toBe('')
  })
})

describe('hostile: what the origin is sent', () => {
  it('passes chunked content on byte for byte, without chunk extensions', async () => {
    const path = stand.serve(({ request }) => ok([], request.body))
    const body = '5;a=b;c="d e"\r\nhello\r\n000006\r\n world\r\n0\r\n\r\n'

    expect((await stand.ask(`POST ${path}`, ['Transfer-Encoding: chunked'], body)).text).toBe('hello world')
    expect(stand.seen(path)[0]?.raw).not.toContain('a=b')
  })

  it('does not pass on fields that only look like framing', async () => {
    const path = stand.serve(ok([], 'done'))

    await stand.get(path, ['Transfer_Encoding: chunked', 'Content_Length: 5'])

    expect(stand.seen(path)[0]?.raw).not.toMatch(/transfer_encoding|content_length/i)
  })

  it('serves an absolute target under its own host, or refuses when Host names another', async () => {
    const path = stand.serve(({ request }) => fresh(request.get('host') ?? ''))

    expect((await stand.get(`http://a.test${path}`)).text).toBe('a.test')
    const other = await stand.get(`http://evil.test${path}`)
    expect([400, 'evil.test']).toContain(other.status === 400 ? 400 : other.text)
    expect((await stand.get(path)).text).toBe('a.test')
  })

  it('serves HTTP/1.0 without Host, never with chunks', async () => {
    const path = stand.serve(ok(['Transfer-Encoding: chunked'], '5\r\nhello\r\n0\r\n\r\n'))
    const client = stand.open().write(`GET ${path} HTTP/1.0\r\n\r\n`)
    const answer = await client.answer()

    expect(answer.text).toBe('hello')
    expect(answer.complete).toBe(true)
    expect(answer.has('transfer-encoding')).toBe(false)
    expect(await client.rest()).toBe('')
  })
})
