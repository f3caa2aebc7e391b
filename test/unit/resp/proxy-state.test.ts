import { describe, expect, it } from 'vitest'
import { ProxyState } from '../../../src/resp/proxy-state.ts'
import { MARK_REQUEST, Subscriber } from '../../../src/resp/proxy-subscriber.ts'
import { EXPECT } from '../../../src/resp/pending.ts'

const OK = '+OK\r\n'
const ERROR = '-ERR no\r\n'

function fresh(): { state: ProxyState; subscriber: Subscriber } {
  const subscriber = new Subscriber()
  return { state: new ProxyState(subscriber), subscriber }
}

describe('the state of a connection', () => {
  it('is not plain while a command that may change it is under way', () => {
    const { state } = fresh()

    const change = state.sent('select', ['3'])

    expect(state.isPlain).toBe(false)
    change(OK)
    expect([state.isPlain, state.database]).toEqual([true, 3])
  })

  it('stays as it was where the upstream refuses', () => {
    const { state } = fresh()

    for (const [name, args] of [
      ['select', ['99']],
      ['auth', ['bob', 'x']],
      ['hello', ['9']],
      ['readonly', []],
    ] as const)
      state.sent(name, args)(ERROR)

    expect(state).toMatchObject({ database: 0, user: 'default', version: 2, isReadonly: false, isProven: false, isPlain: true })
  })

  it('knows the user and the protocol that HELLO named', () => {
    const { state } = fresh()

    state.sent('hello', ['3', 'setname', 'me', 'AUTH', 'bob', 'secret'])('%7\r\n')

    expect(state).toMatchObject({ version: 3, user: 'bob', isProven: true })
  })

  it.each([
    ['exec', '*0\r\n', true],
    ['exec', '-EXECABORT\r\n', true],
    ['discard', OK, true],
    ['discard', '-NOPERM\r\n', false],
  ])('leaves a transaction with %s answered %j: %s', (name, reply, left) => {
    const { state } = fresh()
    state.sent('watch', ['k'])(OK)
    state.sent('multi', [])(OK)

    state.sent(name, [])(reply)

    expect(state.isPlain).toBe(left)
  })

  it('is in the transaction that was begun behind one that ends', () => {
    const { state } = fresh()
    state.sent('multi', [])(OK)

    const end = state.sent('exec', [])
    const begin = state.sent('multi', [])
    end('*0\r\n')
    begin(OK)

    expect([state.isPlain, state.isMulti]).toEqual([false, true])
  })

  it('is lost where a transaction changes it, until RESET', () => {
    const { state } = fresh()
    state.sent('multi', [])(OK)
    state.sent('select', ['2'])('+QUEUED\r\n')
    state.sent('exec', [])('*1\r\n')

    expect(state.isPlain).toBe(false)
    state.sent('reset', [])('+RESET\r\n')
    expect(state.isPlain).toBe(true)
  })

  it('is not made plain by a RESET of before', () => {
    const { state } = fresh()

    const reset = state.sent('reset', [])
    const tracking = state.sent('client', ['tracking', 'on'])
    reset('+RESET\r\n')
    tracking(OK)

    expect(state.isPlain).toBe(false)
  })
})

describe('frames of a subscriber', () => {
  const frame = (text: string): Buffer => Buffer.from(text.replaceAll('|', '\r\n'))

  it('counts confirmations and ends them at our mark', () => {
    const { subscriber } = fresh()
    subscriber.use()

    expect(subscriber.judge(frame('*3|$9|subscribe|$1|a|:1|'), EXPECT.subscribe)).toBe('aside')
    expect(subscriber.isActive).toBe(true)
    expect(subscriber.judge(frame('*2|$4|pong|$14|forecache:mark|'), EXPECT.subscribe)).toBe('ours')
    expect(subscriber.judge(frame('*3|$7|message|$1|a|$1|x|'), EXPECT.relay)).toBe('aside')
    expect(subscriber.judge(frame('*2|$4|pong|$0||'), EXPECT.relay)).toBe('reply')
    expect(subscriber.judge(frame('*3|$11|unsubscribe|$1|a|:0|'), EXPECT.subscribe)).toBe('aside')
    expect(subscriber.isActive).toBe(false)
  })

  it('takes the first error for the command’s own, the second for our mark’s', () => {
    const { subscriber } = fresh()
    subscriber.use()

    expect(subscriber.judge(frame('-NOPERM a|'), EXPECT.subscribe)).toBe('aside')
    expect(subscriber.judge(frame('-NOPERM b|'), EXPECT.subscribe)).toBe('ours')
  })

  it('is no mode of its own in RESP3, but for HELLO 2 behind it', () => {
    const { subscriber } = fresh()
    subscriber.use()

    subscriber.judge(frame('>3|$9|subscribe|$1|a|:1|'), EXPECT.subscribe)

    expect(subscriber.isActive).toBe(false)
    subscriber.speak(2)
    expect(subscriber.isActive).toBe(true)
  })

  it('asks with a mark that Redis gives back', () => {
    expect(MARK_REQUEST.toString()).toBe('*2\r\n$4\r\nPING\r\n$14\r\nforecache:mark\r\n')
  })
})
