import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { systemClock } from '../../src/model/clock.ts'
import { SILENT } from '../../src/model/port.ts'
import { ControlPlane } from '../../src/ops/control-plane.ts'
import { Election } from '../../src/ops/election.ts'
import type { InstanceFacts } from '../../src/ops/instance.ts'
import { type RegistryKeys, registryKeys } from '../../src/ops/registry-keys.ts'
import type { Scaler, ScaleOrder } from '../../src/ops/scaler-port.ts'
import { ScalingAudit } from '../../src/ops/scaling-audit.ts'
import { SCALING_POLICY } from '../../src/ops/scaling-policy.ts'
import { parseRedisUrl } from '../../src/tier/redis-address.ts'
import { createRedis } from '../../src/tier/redis.ts'
import { facts } from '../support/facts.ts'
import { type RedisHere, startRedis } from '../support/redis-here.ts'

const clock = systemClock()
let server: RedisHere
let directory: string
let keys: RegistryKeys
let round = 0
const opened: { close(): unknown }[] = []

beforeAll(async () => {
  server = await startRedis()
}, 30_000)
afterAll(() => server.stop())
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'forecache-control-'))
  round += 1
  keys = registryKeys(`c${round}:`)
})
afterEach(() => {
  for (const one of opened.splice(0)) one.close()
  rmSync(directory, { recursive: true, force: true })
})

/** Remembers its orders; `desired` is what it says there should be. */
class Recorder implements Scaler {
  readonly name = 'recorder'
  readonly orders: ScaleOrder[] = []
  desired: number | undefined = 1
  fails = false

  read(): Promise<{ desired: number | undefined }> {
    return Promise.resolve({ desired: this.desired })
  }

  async scale(order: ScaleOrder): Promise<void> {
    this.orders.push(order)
    if (this.fails) throw new Error('no room')
    if (this.desired !== undefined) this.desired = order.desired
  }
}

interface Plane {
  readonly control: ControlPlane
  readonly election: Election
  readonly audit: ScalingAudit
  readonly scaler: Recorder
}

async function plane(
  id: string,
  given: { readonly dryRun?: boolean; readonly all?: () => InstanceFacts[] } = {},
): Promise<Plane> {
  const redis = createRedis({ target: parseRedisUrl(server.url), clock, random: Math.random })
  opened.push(redis)
  expect(await redis.ready(5000)).toBe(true)
  const election = new Election({ redis, keys, clock, id, leaseMs: 3000 })
  const audit = new ScalingAudit({ logger: SILENT, file: join(directory, `${id}.log`) })
  const scaler = new Recorder()
  const policy = z.strictObject(SCALING_POLICY).parse({ targets: { cpu: 0.5 }, max: 8 })
  const list = (): Promise<InstanceFacts[]> => Promise.resolve(given.all?.() ?? [facts({ cpu: 1 })])
  const parts = { clock, logger: SILENT, election, audit, scaler, policy, id, list }
  return {
    control: new ControlPlane({ ...parts, everyMs: 1000, deadlineMs: 1000, dryRun: given.dryRun ?? false }),
    election,
    audit,
    scaler,
  }
}

describe('the control plane, with a real server', () => {
  it('lets the leader order, with his term, and nobody else', async () => {
    const [a, b] = [await plane('a'), await plane('b')]
    const { term } = await a.election.stand()
    await b.election.stand()

    await a.control.look()
    await b.control.look()

    expect(a.scaler.orders).toEqual([{ desired: 2, from: 1, term, reason: 'cpu 1 wants 2', version: undefined }])
    expect(b.scaler.orders).toEqual([])
    expect(b.control.state.decision).toBe(undefined)
  })

  it('does not let a former leader act, although he still believes that he leads', async () => {
    const [a, b] = [await plane('a'), await plane('b')]
    const { term } = await a.election.stand()
    await server.command('UNLINK', keys.leader)
    const next = await b.election.stand()
    expect(a.election.leadership.isSelf).toBe(true)

    await a.control.look()
    await b.control.look()

    expect(a.scaler.orders).toEqual([])
    expect(a.audit.records).toMatchObject([{ outcome: 'refused', term, desired: 2 }])
    expect(b.scaler.orders).toMatchObject([{ term: next.term, desired: 2 }])
  })

  it('holds a new leader to the cool-down of the former one', async () => {
    const [a, b] = [await plane('a'), await plane('b')]
    await a.election.stand()
    await a.control.look()
    await a.election.close(1000)
    await b.election.stand()

    b.scaler.desired = 2
    await b.control.look()

    expect(b.scaler.orders).toEqual([])
    expect(b.control.state.decision).toMatchObject({ reason: 'steady', wanted: 2 })
    b.scaler.desired = 1
    await b.control.look()
    expect(b.control.state.decision).toMatchObject({ reason: 'cooling', wanted: 2, desired: 1 })
  })

  it('counts who lives where the scaler cannot say, and believes its last order for a while', async () => {
    let all = [facts({ cpu: 1 })]
    const a = await plane('a', { all: () => all })
    a.scaler.desired = undefined
    await a.election.stand()
    await a.control.look()
    expect(a.scaler.orders).toMatchObject([{ from: 1, desired: 2 }])

    all = [facts({ cpu: 1 }), facts({ id: 'd', state: 'draining', cpu: 1 })]
    await a.control.look()

    expect(a.scaler.orders).toHaveLength(1) // the second one has not come up yet
    expect(a.control.state.decision).toMatchObject({ desired: 2, reason: 'steady' })
  })

  it('orders nothing in a dry run, and says what it would have', async () => {
    const a = await plane('a', { dryRun: true })
    await a.election.stand()
    await a.control.look()
    await a.control.look()

    expect(a.scaler.orders).toEqual([])
    expect(a.audit.records).toMatchObject([{ outcome: 'dry-run', from: 1, desired: 2 }])
    expect(await a.election.log()).toEqual([])
  })

  it('keeps what was done, in its file and for all instances', async () => {
    const a = await plane('a')
    a.scaler.fails = true
    const { term } = await a.election.stand()
    await a.control.look()
    await a.audit.flush()

    const lines = readFileSync(join(directory, 'a.log'), 'utf8').trim().split('\n')
    expect(lines.map((line) => (JSON.parse(line) as { outcome: string }).outcome)).toEqual(['ordered', 'failed'])
    expect(a.audit.records[0]).toMatchObject({ outcome: 'failed', detail: 'no room', by: 'a', term })
    expect(await a.election.log()).toMatchObject([{ outcome: 'failed' }, { outcome: 'ordered' }])
  })

  it('changes nothing while it cannot see', async () => {
    const a = await plane('a', {
      all: () => {
        throw new Error('no reply')
      },
    })
    await a.election.stand()
    await a.control.look()
    expect(a.scaler.orders).toEqual([])
  })
})
