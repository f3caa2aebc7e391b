import { describe, expect, it } from 'vitest'
import { StampHistory } from '../../../src/flow/stamp-history.ts'
import { type Behind, WriteBehind } from '../../../src/flow/write-behind.ts'

class Stand {
  isUp = true
  charged = 0
  shed = 0
  readonly done: string[] = []
  readonly behind = new WriteBehind({
    maxBytes: 10_000,
    concurrency: 2,
    isUp: () => this.isUp,
    onCharge: (bytes) => {
      this.charged += bytes
    },
    onShed: () => {
      this.shed += 1
    },
  })

  work(key: string, name = key, bytes = 100): Behind {
    return {
      key,
      bytes,
      run: async () => {
        this.done.push(name)
      },
    }
  }
}

describe('what is written behind', () => {
  it('begins in a later turn than it was given', async () => {
    const stand = new Stand()
    stand.behind.put(stand.work('a'))
    await Promise.resolve()
    expect(stand.done).toEqual([])

    await stand.behind.idle()

    expect(stand.done).toEqual(['a'])
  })

  it('does the latest of each key alone', async () => {
    const stand = new Stand()
    for (const name of ['old', 'new']) stand.behind.put(stand.work('k', name))

    await stand.behind.idle()

    expect(stand.done).toEqual(['new'])
    expect(stand.shed).toBe(0)
  })

  it('sheds what finds no room, and charges what waits to its end', async () => {
    const stand = new Stand()
    for (let i = 0; i < 10; i += 1) stand.behind.put(stand.work(`k${i}`, `k${i}`, 2000))
    expect(stand.charged).toBeGreaterThan(0)
    expect(stand.charged).toBeLessThanOrEqual(10_000)

    await stand.behind.idle()

    expect(stand.done.length + stand.shed).toBe(10)
    expect(stand.charged).toBe(0)
    expect(stand.behind.bytes).toBe(0)
  })

  it('takes nothing while the store is away, and lets go of what waited', async () => {
    const stand = new Stand()
    stand.behind.put(stand.work('waits'))
    stand.isUp = false
    stand.behind.put(stand.work('comes'))

    await stand.behind.idle()

    expect(stand.done).toEqual([])
    expect(stand.shed).toBe(2)
    expect(stand.charged).toBe(0)
  })

  it('forgets what waits when it is closed', async () => {
    const stand = new Stand()
    stand.behind.put(stand.work('a'))

    stand.behind.close()

    await stand.behind.idle()
    expect(stand.done).toEqual([])
    expect(stand.charged).toBe(0)
  })
})

describe('where the log was a while ago', () => {
  const at = (asOf: number, generation = 'g'): { generation: string; asOf: number } => ({ generation, asOf })

  it('is where it is now without a lag', () => {
    expect(new StampHistory(0).stampAt(5, at(7))).toEqual(at(7))
  })

  it('is not known before it was watched for so long', () => {
    const history = new StampHistory(100)
    expect(history.stampAt(1000, at(1))).toBe(undefined)
    expect(history.stampAt(1099, at(1))).toBe(undefined)
    expect(history.stampAt(1100, at(2))).toEqual(at(1))
    expect(history.stampAt(1199, at(3))).toEqual(at(1))
    expect(history.stampAt(1200, at(3))).toEqual(at(2))
  })

  it('is not known of another log', () => {
    const history = new StampHistory(100)
    history.stampAt(0, at(1))
    expect(history.stampAt(500, at(1, 'h'))).toBe(undefined)
  })
})
