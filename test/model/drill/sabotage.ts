/**
 * Rules of the protocol taken out one at a time: the drills have to notice each, or they would notice nothing else either.
 */
import type { Settled } from '../../../src/model/link.ts'
import type { DrillNode, Sabotage } from './node.ts'
import { BLIND_MS } from './world.ts'

/** Run at the beginning of each life. */
export const SABOTAGES: Readonly<Record<string, Sabotage>> = {
  'what was invalidated while it was read is stored': ({ engine }) => {
    engine.fence.admits = () => true
  },
  'what stands is not judged when it is served': ({ engine }) => {
    engine.fence.standing = () => 'current'
  },
  'a reading counts from its end': (node) => {
    node.takesAsOfLate = true
  },
  'callers join loads that were begun before an invalidation': ({ engine }) => {
    engine.fence.namedBetween = () => false
  },
  'what stands in the second level is believed': ({ shared }) => {
    shared.standing = () => 'current'
  },
  'entries of another log are believed': ({ second, shared }) => {
    const { standing } = Object.getPrototypeOf(Object.getPrototypeOf(second)) as typeof second
    second.standing = (reading) => standing.call(second, { ...reading, generation: shared.generation })
  },
  'own invalidations without a place do not count for what others wrote': ({ follower }) => {
    follower.pending = () => []
  },
  'own invalidations that have a place do not count for what others wrote': ({ shared }) => {
    const reach = shared.reach.bind(shared)
    shared.reach = (sequence, draft) => reach(sequence, { ...draft, targets: [] })
  },
  'silence is trusted for ever': trustSilence,
  'silence is trusted for half as long again': ({ follower }) => {
    const proven = follower.proven.bind(follower)
    follower.proven = (proof, asked) => proven(proof, { ...asked, at: asked.at + BLIND_MS / 2 })
  },
  'who serves does not look until when silence is trusted': ({ engine }) => {
    Object.defineProperty(engine, 'seesUntil', { configurable: true, get: () => Number.POSITIVE_INFINITY })
  },
  'another log is taken for the same': ({ shared }) => {
    shared.renew = () => {}
  },
  'records that were trimmed are not missed': ({ shared, follower }) => {
    const renew = shared.renew.bind(shared)
    let former = ''
    shared.renew = (position) => {
      const isOther = follower.generation !== former
      former = follower.generation
      if (isOther) renew(position)
    }
  },
  'tokens are believed': (node) => {
    node.mayServe = () => true
  },
  'nobody waits for the others': ({ follower }) => {
    const [publish, appended] = [follower.publish.bind(follower), follower.appended.bind(follower)]
    let waiting: ((settled: Settled) => void)[] = []
    follower.publish = (draft, settle) => {
      waiting.push(settle)
      publish(draft, () => {})
    }
    follower.appended = (batch, given) => {
      const done = appended(batch, given)
      if (given.first === 0) return done
      for (const settle of waiting) settle({ sequence: given.first, expected: 1, acknowledged: 1, matched: 0 })
      waiting = []
      return done
    }
  },
  'who is missing from a list that was lost is dead': ({ world: { log } }) => {
    const { prove, append } = Object.getPrototypeOf(log) as typeof log
    log.prove = (member) => ({ ...prove.call(log, member), unsureMs: 0 })
    log.append = (...given) => ({ ...append.apply(log, given), unsureMs: 0 })
  },
  'what the second level holds is always young': ({ second, world }) => {
    const { admit } = Object.getPrototypeOf(Object.getPrototypeOf(second)) as typeof second
    second.admit = (reading, ...rest) => admit.call(second, { ...reading, storedAt: world.now }, ...rest)
  },
}

function trustSilence({ shared }: DrillNode): void {
  const [prove, blind] = [shared.prove.bind(shared), shared.blind.bind(shared)]
  let hasSeen = false
  shared.doubt = () => {}
  shared.prove = () => {
    hasSeen = true
    prove(Number.POSITIVE_INFINITY)
  }
  shared.blind = (...given) => {
    if (!hasSeen) blind(...given)
  }
}
