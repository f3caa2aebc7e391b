import { describe, expect, it } from 'vitest'
import { type Drawer, Entry, Shelf } from '../../../src/register/shelf.ts'
import { createRandom } from '../../../src/model/random.ts'

function entry(drawer: Drawer, name: string, bytes = 100): Entry {
  const standing = { hashes: [1], token: 1, deadlineMs: 1e9, fence: 0 }
  return new Entry({ drawer, name, key: name }, { shape: 0, value: name, bytes }, standing)
}

describe('register: the shelf', () => {
  it('counts the bytes of what stands, to the last one', () => {
    const shelf = new Shelf(1e9)
    const drawers: Drawer[] = [new Map(), new Map()]
    const random = createRandom(7)
    for (let i = 0; i < 5000; i += 1) {
      const drawer = drawers[Math.floor(random() * 2)] as Drawer
      const name = `k${Math.floor(random() * 50)}`
      const known = drawer.get(name)
      if (random() < 0.6) shelf.put(entry(drawer, name, Math.floor(random() * 1000)))
      else if (known !== undefined) shelf.drop(known)
      if (random() < 0.02) shelf.limitTo(shelf.bytes / 2, 10)
    }
    const standing = drawers.flatMap((drawer) => [...drawer.values()])
    expect(shelf.count).toBe(standing.length)
    expect(shelf.bytes).toBe(standing.reduce((sum, one) => sum + one.bytes, 0))
    shelf.shed()
    expect([shelf.count, shelf.bytes, ...drawers.map((drawer) => drawer.size)]).toEqual([0, 0, 0, 0])
  })

  it('evicts what nobody asked for before what was asked for', () => {
    const shelf = new Shelf(1e9)
    const drawer: Drawer = new Map()
    for (let i = 0; i < 100; i += 1) shelf.put(entry(drawer, `k${i}`))
    for (let i = 0; i < 100; i += 10) (drawer.get(`k${i}`) as Entry).isVisited = true
    shelf.limitTo(shelf.bytes / 10, 1000)
    expect([...drawer.keys()]).toEqual(Array.from({ length: 10 }, (_, i) => `k${i * 10}`))
    expect(shelf.evictions).toBe(90)
  })

  it('replaces what has the same name', () => {
    const shelf = new Shelf(1e9)
    const drawer: Drawer = new Map()
    const former = entry(drawer, 'k')
    shelf.put(former)
    shelf.put(entry(drawer, 'k'))
    shelf.drop(former)
    expect([shelf.count, drawer.size]).toEqual([1, 1])
  })

  it('evicts no more at a time than it is told to', () => {
    const shelf = new Shelf(1e9)
    const drawer: Drawer = new Map()
    for (let i = 0; i < 100; i += 1) shelf.put(entry(drawer, `k${i}`))
    expect(shelf.limitTo(0, 7)).toBe(7)
    expect(shelf.count).toBe(93)
  })
})
