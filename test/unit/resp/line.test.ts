import { describe, expect, it } from 'vitest'
import { createVirtualClock, type VirtualClock } from '../../../src/model/virtual-clock.ts'
import { Line, type LineFollower, parseReply } from '../../../src/resp/line.ts'
import { LineValues } from '../../../src/resp/line-values.ts'
import type { TrackingEvents } from '../../../src/resp/tracking-port.ts'

/** A server whose replies the test writes. */
class Server {
  readonly asked: string[] = []
  readonly connections: TrackingEvents[] = []
  answers: (words: string) => string | undefined = () => '+OK\r\n'

  readonly port = {
    open: (events: TrackingEvents) => {
      this.connections.push(events)
      queueMicrotask(() => events.connected())
      return {
        write: (bytes: Uint8Array) => {
          const words = Buffer.from(bytes)
            .toString()
            .split('\r\n')
            .filter((_word, i) => i > 0 && i % 2 === 0)
            .join(' ')
          this.asked.push(words)
          const answer = this.answers(words)
          if (answer !== undefined) queueMicrotask(() => events.data(Buffer.from(answer)))
        },
        destroy: () => undefined,
      }
    },
  }
}

function open(isPipelined: boolean, greeting: readonly string[][] = []): { server: Server; line: Line; clock: VirtualClock } {
  const server = new Server()
  const clock = createVirtualClock()
  return { server, clock, line: new Line({ clock, name: 'test', port: server.port, greeting, isPipelined }) }
}

const turns = async (): Promise<void> => {
  for (let i = 0; i < 20; i += 1) await undefined
}

describe('line', () => {
  it('greets once, then asks in order; another connection is made when one was lost', async () => {
    const { server, line } = open(true, [['AUTH', 'secret']])
    await Promise.all([line.ask({ words: ['SET', 'a', '1'] }), line.ask({ words: ['SET', 'a', '2'] })])
    server.connections[0]?.ended('gone')
    await line.ask({ words: ['PING'] })

    expect(server.asked).toEqual(['AUTH secret', 'SET a 1', 'SET a 2', 'AUTH secret', 'PING'])
  })

  it('tells whoever follows a command at its reply, before who asked; of a lost one that nobody knows', async () => {
    const { server, line } = open(true)
    const heard: string[] = []
    const follower = (name: string): LineFollower => ({
      replied: (reply) => void heard.push(`${name} replied ${String(reply)}`),
      failed: () => void heard.push(`${name} failed`),
    })
    server.answers = (words) => (words === 'GET a' ? '$1\r\nx\r\n' : words === 'BAD' ? '-ERR no\r\n' : undefined)
    await line.ask({ words: ['GET', 'a'], sent: () => follower('get') }).then(() => heard.push('asked'))
    await expect(line.ask({ words: ['BAD'], sent: () => follower('bad') })).rejects.toMatchObject({ code: 'FC_RESP_REPLY' })
    const lost = line.ask({ words: ['SET', 'a', 'y'], sent: () => follower('set') })
    await turns()
    server.connections[0]?.ended('gone')

    await expect(lost).rejects.toMatchObject({ code: 'FC_RESP_DOWN' })
    expect(heard).toEqual(['get replied x', 'asked', 'bad failed', 'set failed'])
  })

  it('gives up a question without an answer, and everything once it is closed', async () => {
    const { server, line, clock } = open(false)
    server.answers = () => undefined
    const late = line.ask({ words: ['GET', 'a'] })
    await turns()
    clock.advance(6000)
    await expect(late).rejects.toMatchObject({ code: 'FC_RESP_DOWN' })
    line.close()
    await expect(line.ask({ words: ['GET', 'a'] })).rejects.toMatchObject({ code: 'FC_RESP_DOWN' })
    expect(server.connections).toHaveLength(1)
  })

  it('has nobody between the questions of a turn, and asks them again when others came between', async () => {
    const { server, line } = open(true)
    const values = new LineValues(line, { peek: () => undefined, follow: () => undefined })
    let tries = 0
    server.answers = (words) => {
      if (words.startsWith('GET')) return '$1\r\nx\r\n'
      if (words.startsWith('PTTL')) return ':-1\r\n'
      if (words !== 'EXEC') return '+OK\r\n'
      tries += 1
      return tries === 1 ? '*-1\r\n' : '*1\r\n+OK\r\n'
    }
    const change = values.change('k', (found) => {
      expect(found).toEqual({ value: Buffer.from('x'), ttlMs: Number.POSITIVE_INFINITY })
      return { kind: 'set', value: Buffer.from('y'), ttlMs: 1500 }
    })
    const beside = values.has('other')
    await Promise.all([change, beside])

    const turn = ['WATCH k', 'GET k', 'PTTL k', 'MULTI', 'SET k y PX 1500', 'EXEC', 'UNWATCH']
    expect(server.asked).toEqual([...turn, 'EXISTS other', ...turn])
  })

  it('says of other types what they are not, and reads every reply of RESP2', async () => {
    const { server, line } = open(true)
    server.answers = () => '-WRONGTYPE Operation against a key holding the wrong kind of value\r\n'
    await expect(line.ask({ words: ['GET', 'list'] })).rejects.toMatchObject({ code: 'FC_MOUNT_TYPE' })

    const frame = Buffer.from('*5\r\n:12\r\n$3\r\na\r\n\r\n$-1\r\n*-1\r\n+OK\r\n')
    expect(parseReply(frame)).toEqual([12, Buffer.from('a\r\n'), null, null, 'OK'])
  })
})
