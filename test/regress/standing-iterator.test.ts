/** An iterator that was kept and not moved held every table that its Map had ever had: 60 bytes an invalidation, for ever. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { OldestFirst } from '../../src/model/oldest.ts'
import { createVirtualClock } from '../../src/model/virtual-clock.ts'
import { Fence } from '../../src/tier/fence.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function heldAfter(work: () => void): number {
  work()
  collect()
  const before = process.memoryUsage().heapUsed
  for (let again = 0; again < 5; again += 1) work()
  collect()
  return process.memoryUsage().heapUsed - before
}

describe('a table of bounded size', () => {
  it('holds no more after millions of changes than after a few', () => {
    const table = new OldestFirst<number>()
    table.set('first', 1)
    table.takeOldest() // from here on there is an iterator
    const held = heldAfter(() => {
      for (let i = 0; i < 200_000; i += 1) table.set(`k${i % 100}`, i)
    })
    expect(held).toBeLessThan(1_000_000)
    expect(table.takeOldest()?.[0]).toBe('k0')
  })

  it('so does a fence under the same tags again and again', () => {
    const fence = new Fence(createVirtualClock())
    const held = heldAfter(() => {
      for (let i = 0; i < 100_000; i += 1) fence.append([{ kind: 'tag', tag: `t${i % 100}` }], false, 'library')
    })
    expect(held).toBeLessThan(1_000_000)
  })
})
