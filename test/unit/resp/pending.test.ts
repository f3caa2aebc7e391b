import { describe, expect, it } from 'vitest'
import { EXPECT, Pending } from '../../../src/resp/pending.ts'
import { parseTime } from '../../../src/resp/proxy-time.ts'
import { Gather, GatherRoom } from '../../../src/resp/session-gather.ts'

describe('what is owed', () => {
  it('comes out in the order in which it went in, however it grows', () => {
    const pending = new Pending()
    const out: unknown[] = []
    for (let i = 0; i < 10; i += 1) pending.push(EXPECT.relay, i)
    for (let i = 0; i < 6; i += 1) {
      out.push(pending.item)
      pending.shift()
    }
    for (let i = 10; i < 100; i += 1) pending.push(EXPECT.write, i)

    for (; pending.kind !== EXPECT.nothing; pending.shift()) out.push(pending.item)

    expect(out).toEqual(Array.from({ length: 100 }, (_, i) => i))
  })

  it('counts what the client waits for apart from our own questions', () => {
    const pending = new Pending()
    pending.push(EXPECT.fill, undefined)
    pending.push(EXPECT.ttl, undefined)

    pending.shift()

    expect([pending.size, pending.visible]).toEqual([1, 0])
  })

  it('counts the bytes of replies known already', () => {
    const pending = new Pending()
    pending.pushLocal(Buffer.from('+OK\r\n'))

    expect(pending.localBytes).toBe(5)
    pending.shift()
    expect(pending.localBytes).toBe(0)
  })
})

describe('the answer to PTTL', () => {
  it.each([
    [':0\r\n', 0],
    [':1234567\r\n', 1_234_567],
    [':-1\r\n', -1],
    [':-2\r\n', -2],
    ['-NOPERM\r\n', Number.NaN],
    [':\r\n', Number.NaN],
    [':1x\r\n', Number.NaN],
  ])('%j is %d', (frame, ms) => {
    expect(parseTime(Buffer.from(frame))).toBe(ms)
  })
})

describe('gathered bytes', () => {
  function gathering(isTaken: boolean): { gather: Gather; writes: Buffer[]; room: GatherRoom } {
    const writes: Buffer[] = []
    const room = new GatherRoom(64)
    return { writes, room, gather: new Gather(room, { write: (bytes) => writes.push(bytes) > 0 && isTaken }) }
  }

  it('leave as one write, and as several where the room ends', () => {
    const { gather, writes } = gathering(true)

    for (let i = 0; i < 10; i += 1) gather.put(Buffer.from('0123456789'), 0, 10)
    gather.flush()

    expect(writes.map((bytes) => bytes.length)).toEqual([60, 40])
  })

  it('are never overwritten while they are not taken', () => {
    const { gather, writes, room } = gathering(false)
    const before = room.bytes

    gather.text('+first\r\n')
    gather.flush()
    gather.text('+second\r\n')
    gather.flush()

    expect(writes.map(String)).toEqual(['+first\r\n', '+second\r\n'])
    expect(room.bytes).not.toBe(before)
  })

  it('are not copied where they are large', () => {
    const { gather, writes } = gathering(true)
    const large = Buffer.alloc(40_000, 'x')

    gather.text('+small\r\n')
    gather.put(large, 0, large.length)

    expect(writes.map((bytes) => bytes.length)).toEqual([8, 40_000])
    expect(writes[1]?.buffer).toBe(large.buffer)
  })
})
