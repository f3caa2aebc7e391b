import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../../src/model/clock.ts'
import { JetStreamLog } from '../../../src/tier/jetstream-log.ts'
import { parseNatsUrl } from '../../../src/tier/nats-address.ts'
import { createNats, type NatsModule } from '../../../src/tier/nats-client.ts'
import type { NatsPort } from '../../../src/tier/nats-port.ts'
import { type NatsHere, startNats } from '../../support/nats-here.ts'
import { until } from '../../support/redis-here.ts'

const clock = systemClock()
const DEADLINE_MS = 2000
let server: NatsHere
let stands = 0
beforeAll(async () => {
  server = await startNats()
})
afterAll(() => server.stop())

function connect(): NatsPort {
  const nats = createNats({ target: parseNatsUrl(server.url), tls: {}, clock, random: Math.random })
  onTestFinished(() => nats.close())
  return nats
}

async function join(given: { prefix?: string; memberTtlMs?: number; maxRecords?: number } = {}): Promise<JetStreamLog> {
  const nats = connect()
  const log = new JetStreamLog({ nats, clock, prefix: `u${stands}:`, memberTtlMs: 1250, maxRecords: 100, ...given })
  await until(() => nats.connection().isOpen, 'a connection')
  return log
}

describe('a log in JetStream', () => {
  it('is begun once, however many begin at once', async () => {
    stands += 1
    const members = await Promise.all(Array.from({ length: 12 }, () => join()))
    const proofs = await Promise.all(members.map((member) => member.prove(DEADLINE_MS)))
    expect(new Set(proofs.map(({ generation }) => generation)).size).toBe(1)
    expect(proofs.every(({ last, floor }) => last === 0 && floor === 0)).toBe(true)
    const { members: living } = await (members[0] as JetStreamLog).prove(DEADLINE_MS)
    expect(living.toSorted()).toEqual(members.map(({ member }) => member).toSorted())
  })

  it('gives each record its own place though several append at once', async () => {
    stands += 1
    const members = await Promise.all([join(), join(), join()])
    const { generation } = await (members[0] as JetStreamLog).prove(DEADLINE_MS)
    for (const member of members) await member.prove(DEADLINE_MS)
    const texts = Array.from({ length: 30 }, (_, i) => `text ${i}`)

    const appended = await Promise.all(members.map((member) => member.append(generation, texts, DEADLINE_MS)))

    const places = appended.flatMap((one) => one.places ?? [])
    expect(places.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 90 }, (_, i) => i + 1))
    for (const own of appended) expect(own.places).toEqual([...(own.places ?? [])].toSorted((a, b) => a - b))
    const rows = await (members[0] as JetStreamLog).read(0, 1000, DEADLINE_MS)
    expect(rows.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 90 }, (_, i) => i + 1))
    expect((await (members[0] as JetStreamLog).read(40, 7, DEADLINE_MS)).map(({ sequence }) => sequence)).toEqual([
      41, 42, 43, 44, 45, 46, 47,
    ])
  })

  it('takes nothing that was meant for another log', async () => {
    stands += 1
    const [a, b] = (await Promise.all([join(), join()])) as [JetStreamLog, JetStreamLog]
    const { generation } = await a.prove(DEADLINE_MS)
    await b.prove(DEADLINE_MS)
    await server.drop(`u${stands}:`)
    const { generation: next } = await b.prove(DEADLINE_MS)

    expect(next).not.toBe(generation)
    expect(await a.append(generation, ['late'], DEADLINE_MS)).toMatchObject({ first: 0 })
    expect((await b.prove(DEADLINE_MS)).last).toBe(0)
  })

  it('keeps as many records as it should, and says from where on', async () => {
    stands += 1
    const a = await join({ maxRecords: 10 })
    const { generation } = await a.prove(DEADLINE_MS)
    for (let i = 0; i < 5; i += 1) await a.append(generation, ['a', 'b', 'c', 'd', 'e'], DEADLINE_MS)
    expect(await a.prove(DEADLINE_MS)).toMatchObject({ generation, floor: 15, last: 25 })
    expect((await a.read(0, 100, DEADLINE_MS))[0]?.sequence).toBe(16)
  })

  it('lets a text that no message can hold name everything', async () => {
    stands += 1
    const a = await join()
    const { generation } = await a.prove(DEADLINE_MS)
    await a.append(generation, ['x'.repeat(2_000_000)], DEADLINE_MS)
    expect((await a.read(0, 10, DEADLINE_MS)).map(({ text }) => text)).toEqual([''])
  })

  it('begins anew where its server has no room for it any more', { timeout: 60_000 }, async () => {
    stands += 1
    const a = await join({ maxRecords: 1_000_000 })
    const { generation } = await a.prove(DEADLINE_MS)
    const texts = Array.from({ length: 16 }, () => 'x'.repeat(500_000))
    let refused: unknown
    for (let i = 0; i < 20 && refused === undefined; i += 1)
      await a.append(generation, texts, 5000).catch((error: unknown) => (refused = error))
    expect(refused).toMatchObject({ code: 'FC_LINK_REPLY' })

    const proof = await a.prove(DEADLINE_MS)
    expect(proof.generation).not.toBe(generation)
    expect((await a.append(proof.generation, ['again'], DEADLINE_MS)).first).toBe(1)
  })

  it('waits for those who beat seldom as long as they wish', async () => {
    stands += 1
    const quick = await join({ memberTtlMs: 200 })
    await quick.prove(DEADLINE_MS)
    const slow = await join({ memberTtlMs: 5000 })
    await slow.prove(DEADLINE_MS)
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect((await quick.prove(DEADLINE_MS)).members).toContain(slow.member)
  })

  it('names nobody who has left, and nobody who was not heard', async () => {
    stands += 1
    const [a, left, dead] = (await Promise.all([join(), join(), join()])) as [JetStreamLog, JetStreamLog, JetStreamLog]
    for (const member of [a, left, dead]) await member.prove(DEADLINE_MS)
    await left.leave(DEADLINE_MS)
    expect((await a.prove(DEADLINE_MS)).members).not.toContain(left.member)
    await until(async () => (await a.prove(DEADLINE_MS)).members.join() === a.member, 'the dead one to be missed')
  })

  it('tells within its deadline that nothing answers', async () => {
    stands += 1
    const a = await join()
    await a.prove(DEADLINE_MS)
    server.freeze()
    onTestFinished(() => server.thaw())
    const beganAt = performance.now()
    await expect(a.prove(200)).rejects.toMatchObject({ code: 'FC_LINK_TIMEOUT' })
    await expect(a.read(0, 1, 200)).rejects.toMatchObject({ code: 'FC_LINK_TIMEOUT' })
    expect(performance.now() - beganAt).toBeLessThan(2000)
  })
})

describe('a connection to NATS', () => {
  it('says what is to be installed where its library is missing', async () => {
    const load = (): Promise<NatsModule> => Promise.reject(new Error('Cannot find package'))
    const nats = createNats({ target: parseNatsUrl('nats://127.0.0.1:1'), tls: {}, clock, random: Math.random, load })
    onTestFinished(() => nats.close())
    await until(() => {
      expect(() => nats.connection()).toThrow(/FC_LINK_PEER.*npm install @nats-io\/transport-node/)
      return true
    }, 'the word of it')
  })

  it('is tried again until somebody is there', async () => {
    const nats = createNats({ target: parseNatsUrl('nats://127.0.0.1:1'), tls: {}, clock, random: Math.random })
    onTestFinished(() => nats.close())
    await until(() => {
      expect(() => nats.connection()).toThrow(/FC_LINK_DOWN.*127\.0\.0\.1:1/)
      return true
    }, 'the word of it')
  })
})
