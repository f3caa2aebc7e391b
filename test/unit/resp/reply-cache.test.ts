import { describe, expect, it } from 'vitest'
import { VirtualClock } from '../../../src/model/virtual-clock.ts'
import { Coherence } from '../../../src/resp/coherence.ts'
import { isEmptyReply } from '../../../src/resp/coherence-empty.ts'
import { hashText } from '../../../src/resp/coherence-hash.ts'
import { Reader } from '../../../src/resp/coherence-reader.ts'
import { type Filling, ReplyCache } from '../../../src/resp/reply-cache.ts'

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`
const span = (text: string) => {
  const bytes = Buffer.from(`..${text}..`)
  return { bytes, start: 2, end: bytes.length - 2 }
}

function standOf({ isClustered = false, isShort = false, maxReplyBytes = 4096 } = {}) {
  const clock = new VirtualClock(1_000_000)
  const coherence = new Coherence({ clock, causality: 'session', maxStaleMs: 250, maxAgeMs: 60_000, slots: 1024 })
  coherence.opened({ ping: () => undefined, askGrants: () => undefined }, { isClustered, seesGrants: false, isThreaded: false })
  coherence.proven()
  const cache = new ReplyCache({ coherence, maxBytes: 1024 * 1024, maxReplyBytes, seed: [1, 2], isShort: () => isShort })
  const reader = new Reader()
  const ask = (request: string, keys: readonly string[], partition = 0): Filling | undefined => {
    const fill = coherence.begin(reader, keys.map(hashText), clock.now())
    return fill === undefined ? undefined : { fill, partition, request: Buffer.from(request) }
  }
  interface How {
    readonly keys?: readonly string[]
    readonly times?: readonly number[]
    readonly partition?: number
  }
  const keep = (request: string, reply: string, { keys = ['k'], times, partition = 0 }: How = {}): boolean => {
    const filling = ask(request, keys, partition)
    if (filling === undefined) return false
    const isNews = cache.replied(filling, span(reply), clock.now())
    for (const time of times ?? keys.map(() => -1)) cache.timed(filling, time, clock.now())
    return isNews
  }
  const find = (request: string, partition = 0): string | undefined => {
    const hit = cache.find(partition, span(request), clock.now())
    return hit?.bytes.toString('latin1', hit.start, hit.end)
  }
  return { clock, coherence, cache, reader, ask, keep, find }
}

describe('ReplyCache', () => {
  it('answers the very request with the very bytes, in its partition alone', () => {
    const { keep, find } = standOf()
    keep('GET k', bulk('one'))
    keep('GET k', bulk('two'), { partition: 1 })

    expect(find('GET k')).toBe(bulk('one'))
    expect(find('GET k', 1)).toBe(bulk('two'))
    expect(find('GET k', 2)).toBeUndefined()
    expect(find('get k')).toBeUndefined()
  })

  it('answers nothing whose key has changed or whose time is over', () => {
    const { keep, find, coherence, clock } = standOf()
    keep('GET k', bulk('v'), { times: [100] })
    clock.advance(99)

    expect(find('GET k')).toBe(bulk('v'))
    clock.advance(1)

    expect(find('GET k')).toBeUndefined()
    keep('GET k', bulk('v'))
    coherence.invalidate(hashText('k'))

    expect(find('GET k')).toBeUndefined()
  })

  it('looks at each key of several', () => {
    const { keep, find, coherence } = standOf()
    const reply = `*3\r\n${bulk('1')}$-1\r\n${bulk('3')}`
    for (const changed of ['a', 'b', 'c']) {
      keep('MGET a b c', reply, { keys: ['a', 'b', 'c'], times: [-1, -2, 500] })

      expect(find('MGET a b c')).toBe(reply)
      coherence.invalidate(hashText(changed))

      expect(find('MGET a b c')).toBeUndefined()
    }
  })

  it('keeps no value whose key was gone when its time was asked for', () => {
    const { keep, find } = standOf()
    keep('GET k', bulk('v'), { times: [-2] })
    keep('MGET a b', `*2\r\n${bulk('1')}$-1\r\n`, { keys: ['a', 'b'], times: [-2, -2] })

    expect(find('GET k')).toBeUndefined()
    expect(find('MGET a b')).toBeUndefined()
  })

  it('keeps absence, but not in a cluster', () => {
    for (const isClustered of [false, true]) {
      const { keep, find } = standOf({ isClustered })
      keep('GET k', '$-1\r\n', { times: [-2] })

      expect(find('GET k')).toBe(isClustered ? undefined : '$-1\r\n')
    }
  })

  it('keeps no errors, nothing too large, and nothing while memory is short', () => {
    const { keep, find } = standOf({ maxReplyBytes: 100 })
    keep('GET k', '-WRONGTYPE no\r\n')

    expect(find('GET k')).toBeUndefined()
    keep('GET k', bulk('x'.repeat(200)))

    expect(find('GET k')).toBeUndefined()
    const short = standOf({ isShort: true })
    short.keep('GET k', bulk('v'))

    expect(short.find('GET k')).toBeUndefined()
  })

  it('says whether a reply tells anything that memory did not know', () => {
    const { keep, coherence } = standOf()

    expect(keep('GET k', bulk('v'))).toBe(true)
    expect(keep('GET k', bulk('v'))).toBe(false)
    expect(keep('GET k', bulk('w'))).toBe(true)
    coherence.invalidate(hashText('k'))

    expect(keep('GET k', bulk('w'))).toBe(true)
  })

  it('takes a number that others have changed for a counter, and keeps it no more', () => {
    const { keep, find, coherence } = standOf()
    keep('GET k', bulk('41'))

    expect(find('GET k')).toBe(bulk('41'))
    coherence.invalidate(hashText('k'))
    keep('GET k', bulk('42'))

    expect(find('GET k')).toBeUndefined()
    keep('GET k', bulk('42'))

    expect(find('GET k')).toBeUndefined()
    keep('GET t', bulk('one'), { keys: ['t'] })
    coherence.invalidate(hashText('t'))
    keep('GET t', bulk('42'), { keys: ['t'] })

    expect(find('GET t')).toBe(bulk('42'))
  })

  it('stays below its limit, and gives memory back when it is told to', () => {
    const { keep, cache } = standOf()
    for (let i = 0; i < 20_000; i += 1) keep(`GET k${i}`, bulk('x'.repeat(100)), { keys: [`k${i}`] })

    expect(cache.bytes).toBeLessThanOrEqual(1024 * 1024)
    expect(cache.evictions).toBeGreaterThan(1000)
    const { size } = cache
    let rounds = 0
    while (cache.limitTo(512 * 1024, 256) > 0) rounds += 1

    expect(rounds).toBeGreaterThan(2)
    expect(cache.size).toBeLessThan(size)
    expect(cache.size).toBeGreaterThan(size / 4)
  })

  it('lets go of everything when numbers begin anew', () => {
    const { keep, find, cache, coherence } = standOf()
    keep('GET k', bulk('v'))
    let isVoid = false
    coherence.onVoid(() => {
      isVoid = true
    })
    cache.clear()

    expect(isVoid).toBe(false)
    expect(find('GET k')).toBeUndefined()
  })
})

describe('isEmptyReply', () => {
  const says = (text: string): boolean => {
    const { bytes, start, end } = span(text)
    return isEmptyReply(bytes, start, end)
  }

  it('takes an empty text for what it is: a key that held one has expired, if it is gone by now', () => {
    expect(says('$0\r\n\r\n')).toBe(false)
    expect(says('*2\r\n$-1\r\n$0\r\n\r\n')).toBe(false)
  })

  it('knows everything that says nothing', () => {
    for (const text of [
      '$-1\r\n',
      '_\r\n',
      '*-1\r\n',
      '*0\r\n',
      '%0\r\n',
      '~0\r\n',
      ':0\r\n',
      '+none\r\n',
      '*2\r\n$-1\r\n_\r\n',
      '*1\r\n:0\r\n',
      '*1\r\n*-1\r\n',
    ]) {
      expect(says(text), text).toBe(true)
    }
  })

  it('takes everything else for something', () => {
    for (const text of [
      '$1\r\n0\r\n',
      ':1\r\n',
      ':-1\r\n',
      '+string\r\n',
      '*1\r\n:1\r\n',
      '*2\r\n$-1\r\n$1\r\na\r\n',
      '#f\r\n',
      ',0\r\n',
      '*1\r\n*1\r\n$1\r\na\r\n',
      '%1\r\n_\r\n_\r\n',
      '-ERR\r\n',
    ]) {
      expect(says(text), text).toBe(false)
    }
  })
})
