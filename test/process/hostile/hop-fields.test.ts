/**
 * Fields that belong to one hop stay on it, in both directions; what the origin is told about the client is ours alone.
 *
 * RFC 9110 sections 6.6.1, 7.6.1 to 7.6.3; RFC 9111 section 3.1; RFC 7239.
 */
import { describe, expect, it } from 'vitest'
import { createStand } from '../../support/hostile-stand.ts'
import type { FieldLine } from '../../support/raw-message.ts'
import { answer, fresh, ok } from '../../support/raw-origin.ts'

const stand = createStand()

describe('hostile: fields of one hop in requests', () => {
  it.each<[string, FieldLine[]]>([
    ['x-secret', ['Connection: X-Secret', 'X-Secret: 1']],
    ['x-secret', ['Connection: close, x-SECRET', 'X-Secret: 1']],
    ['x-secret', ['Connection: close', 'Connection: X-Secret', 'X-Secret: 1', 'X-Secret: 2']],
    ['keep-alive', ['Keep-Alive: timeout=5']],
    ['proxy-connection', ['Proxy-Connection: keep-alive']],
    ['te', ['TE: trailers, deflate', 'Connection: TE']],
    ['upgrade', ['Connection: Upgrade', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA']],
    ['http2-settings', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA']],
    ['proxy-authorization', ['Proxy-Authorization: Basic YTpi']],
    ['proxy', ['Proxy: http://evil.test']],
    ['x-original-url', ['X-Original-URL: /admin']],
    ['x-rewrite-url', ['X-Rewrite-URL: /admin']],
    ['x-original-uri', ['X-Original-URI: /admin']],
    ['x-envoy-original-path', ['X-Envoy-Original-Path: /admin']],
    ['x-forwarded', ['X-Forwarded: for=10.0.0.1']],
    ['x-remote-addr', ['X-Remote-Addr: 10.0.0.1']],
    ['x-real-ip', ['X-Real-IP: 10.0.0.1']],
    ['x-client-ip', ['X-Client-IP: 10.0.0.1']],
    ['true-client-ip', ['True-Client-IP: 10.0.0.1']],
    ['x-host', ['X-Host: evil.test']],
    ['x-forwarded-server', ['X-Forwarded-Server: evil.test']],
    ['x-forwarded-port', ['X-Forwarded-Port: 1']],
    ['x-forwarded-prefix', ['X-Forwarded-Prefix: /evil']],
    ['x-forwarded-scheme', ['X-Forwarded-Scheme: https']],
    ['x_forwarded_host', ['X_Forwarded_Host: evil.test']],
    ['x-http-method-override', ['X-HTTP-Method-Override: DELETE']],
    ['x-http-method', ['X-HTTP-Method: DELETE']],
    ['x-method-override', ['X-Method-Override: DELETE']],
  ])('does not pass %s on (case %#)', async (name, lines) => {
    const path = stand.serve(ok([], 'x'))

    expect((await stand.get(path, lines)).status).toBe(200)

    expect(stand.seen(path)[0]?.has(name)).toBe(false)
  })

  it('passes a field on that merely looks like one of a hop', async () => {
    const path = stand.serve(ok([], 'x'))

    await stand.get(path, ['Connection: close', 'X-Close: 1', 'X-Keep-Alive: 2'])

    expect(stand.seen(path)[0]?.get('x-close')).toBe('1')
    expect(stand.seen(path)[0]?.get('x-keep-alive')).toBe('2')
  })

  it.each<[string, FieldLine]>([
    ['authorization', 'Authorization: Basic YTpi'],
    ['cookie', 'Cookie: a=b'],
    ['cache-control', 'Cache-Control: no-store'],
  ])('does not let Connection take %s away, which would change whose answer it is', async (name, line) => {
    const path = stand.serve(({ request }) => fresh(request.has(name) ? 'personal' : 'anonymous', `Vary: ${name}`))
    const attack = await stand.get(path, [`Connection: ${name}`, line])
    const plain = await stand.get(path)

    expect(plain.text).toBe('anonymous')
    expect(['personal', 'anonymous']).toContain(attack.text)
    if (attack.text === 'anonymous') return
    expect(stand.hits(path)).toBe(2)
  })

  it('does not let Connection take Host or Content-Length away', async () => {
    const path = stand.serve(({ request }) => ok([], `${request.get('host')} ${request.body.toString()}`))

    expect((await stand.ask(`POST ${path}`, ['Connection: Host, Content-Length'], 'hello')).text).toBe('a.test hello')
  })

  it('tells the origin who asked, and believes nobody about it', async () => {
    const path = stand.serve(ok([], 'x'))

    await stand.get(path, [
      'X-Forwarded-For: 10.9.9.9',
      'X-Forwarded-Host: evil.test',
      'X-Forwarded-Proto: https',
      'Forwarded: for=10.9.9.9;host=evil.test;proto=https',
    ])

    const seen = stand.seen(path)[0]
    expect(seen?.all('x-forwarded-for')).toEqual(['127.0.0.1'])
    expect(seen?.all('x-forwarded-host')).toEqual(['a.test'])
    expect(seen?.all('x-forwarded-proto')).toEqual(['http'])
    expect(seen?.all('forwarded')).toHaveLength(1)
    expect(seen?.raw).not.toMatch(/10\.9\.9\.9|evil/)
  })

  it('adds itself to Via on both ways, behind whoever is there', async () => {
    const path = stand.serve(fresh('x', 'Via: 1.1 inner'))
    const replies = [await stand.get(path, ['Via: 1.0 outer']), await stand.get(path)]

    expect(stand.seen(path)[0]?.get('via')).toMatch(/^1\.0 outer, 1\.1 \S+$/)
    for (const reply of replies) expect(reply.get('via')).toMatch(/^1\.1 inner, 1\.1 \S+$/)
  })

  it('answers a request that came back to it with an error instead of a loop', async () => {
    const path = stand.serve(ok([], 'x'))
    await stand.get(path)
    const via = stand.seen(path)[0]?.get('via') ?? ''

    expect((await stand.get(path, [`Via: 1.1 other, ${via}`])).status).toBe(508)
    expect(stand.hits(path)).toBe(1)
  })

  it('counts Max-Forwards down on OPTIONS, and answers itself at 0', async () => {
    const path = stand.serve(ok([], 'x'))

    await stand.ask(`OPTIONS ${path}`, ['Max-Forwards: 3'])
    const last = await stand.ask(`OPTIONS ${path}`, ['Max-Forwards: 0'])

    expect(stand.seen(path).map((one) => one.get('max-forwards'))).toEqual(['2'])
    expect(last.status).toBeLessThan(300)
  })

  it('answers OPTIONS * itself', async () => {
    expect((await stand.ask('OPTIONS *')).status).toBeLessThan(300)
  })
})

describe('hostile: fields of one hop in answers', () => {
  it.each<[string, FieldLine[]]>([
    ['x-secret', ['Connection: X-Secret', 'X-Secret: 1']],
    ['x-secret', ['Connection: keep-alive, x-SECRET', 'X-Secret: 1']],
    ['keep-alive', ['Keep-Alive: timeout=77']],
    ['proxy-connection', ['Proxy-Connection: keep-alive']],
    ['te', ['TE: trailers']],
    ['upgrade', ['Upgrade: h2c']],
  ])('neither passes on nor keeps %s (case %#)', async (name, lines) => {
    const path = stand.serve(fresh('x', ...lines))
    const replies = [await stand.get(path), await stand.get(path)]

    for (const reply of replies) expect(reply.get(name) ?? '').not.toMatch(/1|77|keep|trailers|h2c/)
    expect(stand.hits(path)).toBe(1)
  })

  it.each<[string, FieldLine[]]>([
    ['Cache-Control', ['Cache-Control: no-store', 'Expires: Thu, 01 Jan 2099 00:00:00 GMT', 'Connection: Cache-Control']],
    ['Vary', ['Cache-Control: max-age=60', 'Vary: X-User', 'Connection: Vary']],
    ['Age', ['Cache-Control: max-age=60', 'Age: 100', 'Connection: Age']],
  ])('does not let Connection take %s away, which would make more of an answer than it is', async (_, lines) => {
    const path = stand.serve(({ request }) => ok(lines, request.get('x-user') ?? ''))

    expect((await stand.get(path, ['X-User: a'])).text).toBe('a')
    expect((await stand.get(path, ['X-User: b'])).text).toBe('b')
  })

  it.each<[string, FieldLine]>([
    ['Proxy-Authenticate', 'Proxy-Authenticate: Basic realm="x"'],
    ['Proxy-Authentication-Info', 'Proxy-Authentication-Info: nextnonce="x"'],
  ])('does not keep %s', async (name, line) => {
    const path = stand.serve(fresh('x', line))
    await stand.get(path)

    expect((await stand.get(path)).has(name)).toBe(false)
  })

  it('gives an answer without Date the time it came', async () => {
    const path = stand.serve('HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 1\r\n\r\nx')
    const replies = [await stand.get(path), await stand.get(path)]

    for (const reply of replies) expect(Math.abs(Date.parse(reply.get('date') ?? '') - Date.now())).toBeLessThan(5000)
    expect(replies[0]?.get('date')).toBe(replies[1]?.get('date'))
  })

  it('passes the origin’s Date on unchanged', async () => {
    const date = new Date(Date.now() - 20_000).toUTCString()
    const path = stand.serve(fresh('x', `Date: ${date}`))

    expect((await stand.get(path)).all('date')).toEqual([date])
    expect((await stand.get(path)).all('date')).toEqual([date])
  })

  it('keeps several lines of one field apart and in order', async () => {
    const path = stand.serve(fresh('x', 'Link: </a>', 'X-One: 1', 'Link: </b>', 'WWW-Authenticate: A', 'WWW-Authenticate: B'))
    await stand.get(path)
    const hit = await stand.get(path)

    expect(hit.all('link')).toEqual(['</a>', '</b>'])
    expect(hit.all('www-authenticate')).toEqual(['A', 'B'])
  })

  it('closes the connection of a client that asks for it', async () => {
    const path = stand.serve(fresh('x'))
    const client = stand.open().ask(`GET ${path}`, ['Connection: close'])

    expect((await client.answer()).get('connection')).toBe('close')
    expect(await client.rest()).toBe('')
  })

  it('does not close the client’s connection because the origin closes its own', async () => {
    const path = stand.serve((call) => {
      call.write(answer(200, ['Cache-Control: no-store', 'Connection: close'], 'x'))
      call.end()
    })
    const client = stand.open().ask(`GET ${path}`)
    const first = await client.answer()
    const second = await client.ask(`GET ${path}`).answer()

    expect([first.text, second.text]).toEqual(['x', 'x'])
    expect(first.get('connection')).not.toBe('close')
    client.destroy()
  })
})
