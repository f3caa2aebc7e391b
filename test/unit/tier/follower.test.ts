import { beforeEach, describe, expect, it } from 'vitest'
import type { LinkDraft, LinkReceiver, Settled } from '../../../src/model/link.ts'
import { createVirtualClock, type VirtualClock } from '../../../src/model/virtual-clock.ts'
import { Follower } from '../../../src/tier/follower.ts'

const ACK_MS = 300
const DRAFT: LinkDraft = { targets: [{ kind: 'key', key: 'k' }], soft: false, source: 'test', rules: 0 }
const MEMBERS = { members: ['me', 'other'], unsureMs: 0 }

describe('what a member knows of the log', () => {
  let clock: VirtualClock
  let follower: Follower

  beforeEach(() => {
    clock = createVirtualClock()
    const store = { member: 'me', acknowledge: () => Promise.resolve() }
    follower = new Follower({ clock, store, blindAfterMs: 240, ackMs: ACK_MS })
    const receiver: LinkReceiver = {
      ...{ apply: () => 0, reach: () => {}, blind: () => {}, see: () => {}, prove: () => {}, doubt: () => {}, renew: () => {} },
    }
    follower.begin(receiver)
  })

  it('waits for the others once a record has its place, though it was blind when it was told', () => {
    const asked = follower.ask()
    let settled: Settled | undefined
    follower.publish(DRAFT, (given) => (settled = given))
    follower.proven({ generation: 'g', floor: 0, last: 0, members: MEMBERS.members }, asked)
    follower.appended(follower.batch(), { generation: 'g', first: 1, ...MEMBERS })
    clock.advance(ACK_MS - 1)
    expect(settled).toBeUndefined()
    clock.advance(1)
    expect(settled).toMatchObject({ sequence: 1, acknowledged: 1, expected: 2 })
  })

  it('waits for no place while it is blind', () => {
    let settled: Settled | undefined
    follower.publish(DRAFT, (given) => (settled = given))
    clock.advance(0)
    expect(settled).toMatchObject({ sequence: 0 })
  })
})
