import { describe, expect, it } from 'vitest'
import { createRandom, type Random } from '../../src/model/random.ts'
import { createVirtualClock, type VirtualClock } from '../../src/model/virtual-clock.ts'
import { Leases } from '../../src/tier/leases.ts'
import { type LeaseModel, LeaseModelServer } from '../support/lease-model.ts'

/** One process of a schedule. */
interface Member {
  readonly leases: Leases
  readonly store: LeaseModel
}

/** What a schedule has seen. */
interface Tally {
  loads: number
  asked: number
  answered: number
  /** Loads under way of holders that live and have lost nothing. */
  holding: number
  mostHolding: number
}

const LEASE_MS = 400
const WAIT_MS = 3000
const DEADLINE_MS = 50
const MEMBERS = 4
const SCHEDULES = Number(process.env['FORECACHE_SCHEDULES'] ?? 1500)
const FIRST_SEED = Number(process.env['FORECACHE_SEED'] ?? 1)

describe('leases under random schedules', () => {
  it(`lead one at a time and leave nobody without an answer, in ${SCHEDULES} schedules from seed ${FIRST_SEED}`, async () => {
    const totals = { loads: 0, asked: 0 }
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SCHEDULES; seed += 1) {
      const { loads, asked } = await runSchedule(seed)
      totals.loads += loads
      totals.asked += asked
    }
    expect(totals.asked).toBeGreaterThan(totals.loads)
  }, 120_000)
})

/** Callers on several processes ask for one key while bells are lost, calls hang, the store freezes and processes die. */
async function runSchedule(seed: number): Promise<Tally> {
  const random = createRandom(seed)
  const clock = createVirtualClock()
  const isRough = random() < 0.5
  const server = new LeaseModelServer(clock, {
    delayMs: () => (isRough && random() < 0.1 ? random() * 120 : random() * 2),
    losesBell: () => isRough && random() < 0.3,
  })
  const members = Array.from({ length: MEMBERS }, () => openMember(server, clock, random))
  const tally: Tally = { loads: 0, asked: 0, answered: 0, holding: 0, mostHolding: 0 }
  for (let step = 0; step < 12; step += 1) {
    const dice = random()
    const member = members[Math.floor(random() * MEMBERS)] as Member
    if (dice < 0.7) void call({ clock, random, tally }, member)
    else if (dice < 0.78) kill(members, member, { server, clock, random })
    else if (dice < 0.84 && isRough) server.isFrozen = true
    else server.isFrozen = false
    await clock.advanceAsync(random() * 300)
  }
  server.isFrozen = false
  await clock.advanceAsync(4 * WAIT_MS)
  const context = `seed ${seed}`
  expect(tally.answered, `${context}: callers answered`).toBe(tally.asked)
  if (!isRough) expect(tally.mostHolding, `${context}: holders at once`).toBeLessThanOrEqual(1)
  for (const { leases, store } of members) {
    if (!store.isDead) expect([leases.held, leases.waiting], `${context}: left behind`).toEqual([0, 0])
    leases.close()
  }
  return tally
}

function openMember(server: LeaseModelServer, clock: VirtualClock, random: Random): Member {
  const store = server.open()
  const leases = new Leases({
    ...{ store, clock, random, leaseMs: LEASE_MS, waitMs: WAIT_MS, deadlineMs: DEADLINE_MS },
    maxHoldMs: 10_000,
    onCount: () => {},
  })
  return { leases, store }
}

/** It says nothing more, and hears nothing; another takes its place. */
function kill(
  members: Member[],
  member: Member,
  world: { readonly server: LeaseModelServer; readonly clock: VirtualClock; readonly random: Random },
): void {
  member.store.isDead = true
  members[members.indexOf(member)] = openMember(world.server, world.clock, world.random)
}

/** A caller: loads where it is to, waits where it is to, and counts what came of it. */
async function call(
  { clock, random, tally }: { readonly clock: VirtualClock; readonly random: Random; readonly tally: Tally },
  { leases, store }: Member,
): Promise<void> {
  tally.asked += 1
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => void clock.after(ms, resolve))
  // A caller of a process that dies is gone with it.
  const done = (): void => {
    tally.answered += 1
  }
  const gone = setDead(clock, store, done)
  const load = async (): Promise<void> => {
    tally.loads += 1
    await sleep(random() * 600)
  }
  const place = await leases.ask({ name: 'key', stamp: 'log.1', isDead: () => false })
  const held =
    place.role === 'hold'
      ? place.lease
      : place.role === 'wait'
        ? await place.waiter.next().then((event) => (event.kind === 'hold' ? event.lease : undefined))
        : undefined
  if (held !== undefined) {
    tally.holding += 1
    tally.mostHolding = Math.max(tally.mostHolding, tally.holding)
    const over = setDead(clock, store, () => (tally.holding -= 1))
    await load()
    if (store.isDead) return
    over()
    tally.holding -= 1
    held.release('stored')
  } else if (place.role === 'alone') await load()
  if (store.isDead) return
  gone()
  done()
}

/** Runs `then` once when the process has died. @returns takes it back */
function setDead(clock: VirtualClock, store: LeaseModel, then: () => void): () => void {
  let timer = clock.after(1, look)
  function look(): void {
    if (store.isDead) then()
    else timer = clock.after(5, look)
  }
  return () => timer.cancel()
}
