import { beforeEach, describe, expect, it } from 'vitest'
import { NoAnswer } from '../../../src/sim/network.ts'
import { createWorld, type World } from '../../../src/sim/world.ts'
import type { Process } from '../../../src/sim/process.ts'

let world: World
let a: Process
let b: Process

beforeEach(() => {
  world = createWorld({ seed: 5, nodes: 2, skewMs: 1000 })
  ;[a, b] = world.nodes.map(({ process }) => process) as [Process, Process]
})

describe('network: datagrams', () => {
  it('come after a delay, and overtake each other', async () => {
    const heard: number[] = []
    for (let i = 0; i < 40; i += 1) world.network.send(a, b, () => heard.push(i))

    expect(heard).toEqual([])
    await world.pass(10)
    expect([...heard].sort((x, y) => x - y)).toEqual(Array.from({ length: 40 }, (_, i) => i))
    expect(heard).not.toEqual([...heard].sort((x, y) => x - y))
  })

  it('are lost and come twice as often as the weather says', async () => {
    let heard = 0
    world.network.weather.loss = 0.5
    for (let i = 0; i < 1000; i += 1) world.network.send(a, b, () => (heard += 1))
    await world.pass(10)
    expect(Math.abs(heard - 500)).toBeLessThan(60)

    heard = 0
    Object.assign(world.network.weather, { loss: 0, repetition: 0.5 })
    for (let i = 0; i < 1000; i += 1) world.network.send(a, b, () => (heard += 1))
    await world.pass(10)
    expect(Math.abs(heard - 1500)).toBeLessThan(60)
  })

  it('do not cross a cut, in the direction that is cut', async () => {
    const heard: string[] = []
    const mend = world.network.cutOneWay('n1', 'n2')
    world.network.send(a, b, () => heard.push('to b'))
    world.network.send(b, a, () => heard.push('to a'))
    await world.pass(10)
    expect(heard).toEqual(['to a'])

    mend()
    mend() // twice is once
    world.network.send(a, b, () => heard.push('to b'))
    await world.pass(10)
    expect(heard).toEqual(['to a', 'to b'])
  })

  it('do not cross a cut that was made while they were under way', async () => {
    let heard = 0
    world.network.send(a, b, () => (heard += 1))
    world.network.cut('n2')
    await world.pass(10)
    expect(heard).toBe(0)
  })
})

describe('network: questions', () => {
  it('are answered, or rejected with what the other side threw', async () => {
    const answers = Promise.allSettled([
      world.network.call(a, b, { deadlineMs: 50, serve: () => 7 }),
      world.network.call(a, b, { deadlineMs: 50, serve: async () => Promise.reject(new Error('no')) }),
    ])
    await world.pass(50)
    expect(await answers).toMatchObject([
      { status: 'fulfilled', value: 7 },
      { status: 'rejected', reason: { message: 'no' } },
    ])
  })

  it('are given up at their deadline, and may have been done', async () => {
    let done = 0
    world.network.cutOneWay('n2', 'n1')
    const asked = world.network.call(a, b, { deadlineMs: 50, serve: () => (done += 1) }).catch((error: unknown) => error)
    await world.pass(60)
    expect(await asked).toBeInstanceOf(NoAnswer)
    expect(done).toBe(1)
  })

  it('wait at a process that stands still, and are lost with one that dies', async () => {
    let done = 0
    b.pause()
    const asked = world.network.call(a, b, { deadlineMs: 500, serve: () => (done += 1) })
    await world.pass(100)
    expect(done).toBe(0)
    b.resume()
    await world.pass(10)
    expect(await asked).toBe(1)

    b.pause()
    const lost = world.network.call(a, b, { deadlineMs: 500, serve: () => (done += 1) }).catch(() => 'lost')
    await world.pass(10)
    b.crash()
    b.restart()
    await world.pass(500)
    expect(await lost).toBe('lost')
    expect(done).toBe(1)
  })
})

describe('network: channels', () => {
  it('keep their order and lose nothing, also over a cut', async () => {
    const heard: number[] = []
    const send = world.network.channel(a, b)
    world.network.weather.loss = 1
    for (let i = 0; i < 10; i += 1) send(() => heard.push(i))
    const mend = world.network.cut('n1', 'n2')
    for (let i = 10; i < 20; i += 1) send(() => heard.push(i))
    await world.pass(20)
    expect(heard.length).toBe(0)
    mend()
    await world.pass(20)
    expect(heard).toEqual(Array.from({ length: 20 }, (_, i) => i))
  })

  it('end with the life of either end', async () => {
    let heard = 0
    const send = world.network.channel(a, b)
    send(() => (heard += 1))
    b.crash()
    b.restart()
    send(() => (heard += 1))
    await world.pass(20)
    expect(heard).toBe(0)
  })
})

describe('process: time of its own', () => {
  it('has timers that wait while it stands still, and clocks that differ', async () => {
    let fired = 0
    a.clock.after(10, () => (fired += 1))
    a.pause()
    await world.pass(50)
    expect(fired).toBe(0)
    a.resume()
    expect(fired).toBe(1)
    expect(a.clock.now()).not.toBe(b.clock.now())
    const wall = a.clock.wall()
    a.stepWall(3_600_000)
    expect(a.clock.wall() - wall).toBe(3_600_000)
  })

  it('does nothing of a former life', async () => {
    let fired = 0
    a.clock.after(10, () => (fired += 1))
    a.crash()
    a.clock.after(1, () => (fired += 1))
    a.restart()
    await world.pass(50)
    expect(fired).toBe(0)
    expect(a.life).toBe(2)
  })
})
