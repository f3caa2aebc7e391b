import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../../src/model/virtual-clock.ts'
import { Coherence, COHERENCE_DEFAULTS } from '../../../src/resp/coherence.ts'
import { hashText } from '../../../src/resp/coherence-hash.ts'
import { Reader } from '../../../src/resp/coherence-reader.ts'
import { ListWords } from '../../../src/resp/command-table-words.ts'
import { HotKeys } from '../../../src/resp/coherence-touch.ts'
import { Tracking } from '../../../src/resp/tracking.ts'
import type { TrackingEvents } from '../../../src/resp/tracking-port.ts'

const GREETING = '%4\r\n+version\r\n+7.0.15\r\n+proto\r\n:3\r\n+mode\r\n+standalone\r\n+role\r\n+master\r\n'
const COMMAND = '*1\r\n*6\r\n$3\r\nget\r\n:2\r\n~1\r\n+readonly\r\n:1\r\n:1\r\n:1\r\n'

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`
const FORGETFUL = bulk('maxmemory:9\r\nmaxmemory_policy:allkeys-lru\r\n')

/** A server that answers each command as told, at once. */
function standOf(answers: Readonly<Record<string, string | undefined>> = {}) {
  const clock = new VirtualClock(1_000_000)
  const coherence = new Coherence({ ...COHERENCE_DEFAULTS, clock, slots: 1024 })
  const known: Record<string, string | undefined> = {
    HELLO: GREETING,
    'CLIENT TRACKING': '+OK\r\n',
    'CLIENT NO-EVICT': '+OK\r\n',
    COMMAND,
    'ACL LIST': '*1\r\n+user default on\r\n',
    'INFO server': bulk('run_id:abc\r\n'),
    'INFO memory': FORGETFUL,
    'INFO replication': bulk('role:master\r\n'),
    'INFO commandstats': bulk('# Commandstats\r\n'),
    PING: '+PONG\r\n',
    SELECT: '+OK\r\n',
    PTTL: ':77\r\n',
    TOUCH: ':1\r\n',
    ...answers,
  }
  const asked: string[] = []
  const states: string[] = []
  const hot = new HotKeys(() => 0)
  let events: TrackingEvents | undefined
  let opened = 0
  const tracking = new Tracking({
    ...{ coherence, clock, hot, random: () => 0.5, username: undefined, password: undefined, prefixes: [] },
    port: {
      open: (given) => {
        opened += 1
        events = given
        clock.after(0, () => given.connected())
        return {
          write: (bytes) => {
            const parts = Buffer.from(bytes)
              .toString('latin1')
              .split('\r\n')
              .filter((_, i) => i > 0 && i % 2 === 0)
            asked.push(parts.join(' '))
            const answer = known[parts.slice(0, 2).join(' ')] ?? known[parts[0] as string]
            if (answer !== undefined) clock.after(1, () => given === events && given.data(Buffer.from(answer)))
          },
          destroy: () => {
            events = undefined
          },
        }
      },
    },
    onState: (state, reason) => states.push(reason === '' ? state : `${state}: ${reason}`),
  })
  return {
    ...{ clock, coherence, tracking, asked, states, hot, known },
    opened: () => opened,
    tell: (bytes: string) => events?.data(Buffer.from(bytes)),
    cut: (reason: string) => events?.ended(reason),
  }
}

describe('Tracking', () => {
  it('greets, asks for everything that changes, and answers from memory once that is proven', () => {
    const stand = standOf()
    stand.tracking.open()
    stand.clock.advance(5)

    expect(stand.asked).toEqual([
      'HELLO 3 SETNAME forecache-tracking',
      'CLIENT TRACKING ON BCAST',
      'COMMAND',
      'INFO commandstats',
      'ACL LIST',
      'CLIENT NO-EVICT ON',
      'INFO server',
      'INFO replication',
      'INFO commandstats',
      'PING',
    ])
    expect(stand.states).toEqual(['connecting', 'on'])
    expect(stand.tracking.upstream).toMatchObject({ version: '7.0.15', runId: 'abc', seesGrants: true, isClustered: false })
    expect(stand.coherence.mayHit(new Reader(), stand.clock.now())).toBe(true)
  })

  it('says once what does not let it, and looks again now and then', () => {
    const refusals = { HELLO: '-ERR unknown command `HELLO`\r\n', 'CLIENT TRACKING': '-NOPERM no\r\n', COMMAND: '-NOPERM no\r\n' }
    for (const [name, answer] of Object.entries(refusals)) {
      const stand = standOf({ [name]: answer })
      stand.tracking.open()
      stand.clock.advance(300_000)

      expect(stand.states.length, name).toBe(2)
      expect(stand.states[1], name).toMatch(/^refused: /)
      expect(stand.opened(), name).toBe(5)
      expect(stand.coherence.isOn, name).toBe(false)
    }
  })

  it('tries again with growing pauses while the server cannot be reached', () => {
    const stand = standOf({ HELLO: '-LOADING loading\r\n' })
    stand.tracking.open()
    stand.clock.advance(60_000)

    expect(stand.states[1]).toBe('waiting: HELLO 3: LOADING loading')
    expect(stand.opened()).toBeGreaterThan(12)
    expect(stand.opened()).toBeLessThan(30)
    stand.known['HELLO'] = GREETING
    stand.clock.advance(6000)

    expect(stand.states.at(-1)).toBe('on')
  })

  it('voids everything when it is cut, and comes back', () => {
    const stand = standOf()
    stand.tracking.open()
    stand.clock.advance(5)
    const token = stand.coherence.state().changes
    stand.cut('gone')

    expect(stand.coherence.isOn).toBe(false)
    expect(stand.coherence.stands(hashText('k'), token)).toBe(false)
    stand.clock.advance(200)

    expect(stand.states).toEqual(['connecting', 'on', 'waiting: gone', 'on'])
    expect(stand.coherence.stands(hashText('k'), token)).toBe(false)
  })

  it('gives up a connection that answers nothing any more', () => {
    const stand = standOf()
    stand.tracking.open()
    stand.clock.advance(5)
    stand.known['PING'] = undefined
    const reader = new Reader()
    stand.clock.advance(300)

    expect(stand.coherence.mayHit(reader, stand.clock.now())).toBe(false)
    stand.clock.advance(2100)

    expect(stand.states.at(-1)).toBe('waiting: silent for 2000 ms')
  })

  it('gives up a connection that never greets', () => {
    const stand = standOf({ HELLO: undefined })
    stand.tracking.open()
    stand.clock.advance(5100)

    expect(stand.states.at(-1)).toBe('waiting: no greeting within 5000 ms')
  })

  it('sends no heartbeat while nobody reads', () => {
    const stand = standOf()
    stand.tracking.open()
    stand.clock.advance(60_000)
    const idle = stand.asked.length
    for (let i = 0; i < 100; i += 1) {
      stand.coherence.mayHit(new Reader(), stand.clock.now())
      stand.clock.advance(10)
    }

    expect(idle).toBe(10)
    expect(stand.asked.filter((asked) => asked === 'PING').length).toBeGreaterThan(15)
    expect(stand.asked.filter((asked) => asked === 'PING').length).toBeLessThan(30)
  })

  it('takes changes of the rules of access for changes of everything', () => {
    const stand = standOf()
    stand.tracking.open()
    stand.clock.advance(5)
    const token = stand.coherence.state().changes
    const reader = new Reader()
    const use = (): void => {
      for (let i = 0; i < 150; i += 1) {
        stand.coherence.mayHit(reader, stand.clock.now())
        stand.clock.advance(10)
      }
    }
    use()

    expect(stand.coherence.stands(1, token)).toBe(true)
    stand.known['ACL LIST'] = '*1\r\n+user default off\r\n'
    use()

    expect(stand.coherence.stands(1, token)).toBe(false)
    expect(stand.asked.filter((asked) => asked === 'ACL LIST').length).toBeLessThan(9)
  })

  it('takes rules that are what they were, but were others in between, for changed', () => {
    const stand = standOf({
      'INFO commandstats': bulk('cmdstat_acl|setuser:calls=2,usec=9\r\ncmdstat_acl|list:calls=5,usec=1\r\n'),
    })
    stand.tracking.open()
    stand.clock.advance(5)
    const reader = new Reader()
    const use = (): void => {
      for (let i = 0; i < 150; i += 1) {
        stand.coherence.mayHit(reader, stand.clock.now())
        stand.clock.advance(10)
      }
    }
    const token = stand.coherence.state().changes
    stand.known['INFO commandstats'] = bulk('cmdstat_acl|setuser:calls=2,usec=9\r\ncmdstat_acl|list:calls=9,usec=1\r\n')
    use()
    expect(stand.coherence.stands(1, token)).toBe(true)

    // Given and taken away again between two looks.
    stand.known['INFO commandstats'] = bulk('cmdstat_acl|setuser:calls=4,usec=9\r\ncmdstat_acl|list:calls=9,usec=1\r\n')
    use()

    expect(stand.coherence.stands(1, token)).toBe(false)
  })

  it('answers other users nothing from memory where the rules of access cannot be seen', () => {
    const stand = standOf({ 'ACL LIST': '-NOPERM no\r\n' })
    stand.tracking.open()
    stand.clock.advance(5)
    const [own, foreign] = [new Reader(), new Reader()]
    foreign.isForeign = true

    expect(stand.coherence.mayHit(own, stand.clock.now())).toBe(true)
    expect(stand.coherence.mayHit(foreign, stand.clock.now())).toBe(false)
  })

  it('begins a new life when the server has changed its role', () => {
    const stand = standOf()
    stand.tracking.open()
    stand.clock.advance(5)
    stand.known['INFO replication'] = bulk('role:slave\r\n')
    for (let i = 0; i < 150; i += 1) {
      stand.coherence.mayHit(new Reader(), stand.clock.now())
      stand.clock.advance(10)
    }

    expect(stand.states).toContain('waiting: the server has become a slave')
  })

  it('touches hot keys where the server forgets by use, in their own database', () => {
    const stand = standOf()
    stand.tracking.open()
    stand.clock.advance(5)
    for (let i = 0; i < 3; i += 1) {
      stand.hot.add(0, Buffer.from('a'))
      stand.hot.add(0, Buffer.from('a'))
      stand.hot.add(2, Buffer.from('b'))
      stand.clock.advance(250)
    }

    expect(stand.asked.filter((asked) => /^(TOUCH|SELECT)/.test(asked))).toEqual([
      'TOUCH a',
      'SELECT 2',
      'TOUCH b',
      'SELECT 0',
      'TOUCH a',
      'SELECT 2',
      'TOUCH b',
    ])
  })

  it('touches nothing where the server does not', () => {
    const stand = standOf({ 'INFO memory': bulk('') })
    stand.tracking.open()
    stand.clock.advance(5)
    for (let i = 0; i < 3; i += 1) {
      stand.hot.add(0, Buffer.from('a'))
      stand.clock.advance(250)
    }

    expect(stand.asked.some((asked) => asked.startsWith('TOUCH'))).toBe(false)
    expect(stand.hot.size).toBe(0)
  })

  it('says how long keys live, and nothing where it cannot have asked the right database', () => {
    const stand = standOf()
    stand.tracking.open()
    stand.clock.advance(5)
    const times: number[] = []
    stand.tracking.lifetimes(0, ['a', 'b'], (time) => times.push(time))
    stand.clock.advance(5)

    expect(times).toEqual([77, 77])
    stand.known['SELECT'] = '-NOPERM no\r\n'
    stand.tracking.lifetimes(3, ['a'], (time) => times.push(time))
    stand.clock.advance(5)

    expect(times).toEqual([77, 77, Number.NaN])
    stand.known['PTTL'] = undefined
    stand.tracking.lifetimes(0, ['a'], (time) => times.push(time))
    stand.clock.advance(5)
    stand.cut('gone')

    expect(times).toEqual([77, 77, Number.NaN, Number.NaN])
    stand.tracking.close()
    stand.tracking.lifetimes(0, ['a'], (time) => times.push(time))

    expect(times.length).toBe(5)
  })

  it('notices within a second that others swapped databases, and that fields of hashes have times of their own', () => {
    const row = '*7\r\n$4\r\nhget\r\n:3\r\n~1\r\n+readonly\r\n:1\r\n:1\r\n:1\r\n~1\r\n+@hash\r\n'
    const expiring = '*6\r\n$8\r\nhpexpire\r\n:3\r\n~1\r\n+write\r\n:1\r\n:1\r\n:1\r\n'
    const stand = standOf({
      COMMAND: `*2\r\n${row}${expiring}`,
      'INFO keyspace': bulk('# Keyspace\r\ndb0:keys=1,subexpiry=0\r\n'),
    })
    stand.tracking.open()
    stand.clock.advance(5)
    const isHgetKept = (): boolean | undefined =>
      stand.tracking.upstream?.table.rule(new ListWords().of(['HGET', 'k', 'f'])).isKept
    const read = (): void => {
      for (let i = 0; i < 150; i += 1) {
        stand.coherence.mayHit(new Reader(), stand.clock.now())
        stand.clock.advance(10)
      }
    }
    let token = stand.coherence.state().changes
    read()

    expect(isHgetKept()).toBe(true)
    expect(stand.coherence.stands(1, token)).toBe(true)
    stand.known['INFO commandstats'] = bulk('cmdstat_swapdb:calls=1,usec=3\r\n')
    read()

    expect(stand.coherence.stands(1, token)).toBe(false)
    token = stand.coherence.state().changes
    stand.known['INFO keyspace'] = bulk('# Keyspace\r\ndb0:keys=1,subexpiry=0\r\ndb1:keys=1,subexpiry=1\r\n')
    read()

    expect(isHgetKept()).toBe(false)
    expect(stand.coherence.stands(1, token)).toBe(false)
  })
})
