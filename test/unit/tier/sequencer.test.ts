import { beforeEach, describe, expect, it } from 'vitest'
import type { LinkDraft, LinkReceiver, Settled } from '../../../src/model/link.ts'
import { createVirtualClock, settle, type VirtualClock } from '../../../src/model/virtual-clock.ts'
import { ownLink, SequencedLink } from '../../../src/tier/sequenced-link.ts'
import { Sequencer, type ToMember, type ToSequencer } from '../../../src/tier/sequencer.ts'

const DRAFT: LinkDraft = { targets: [{ kind: 'tag', tag: 't' }], soft: false, source: 'test', rules: 0 }

let clock: VirtualClock
let silent: string[]
let sequencer: Sequencer

beforeEach(() => {
  clock = createVirtualClock()
  silent = []
  sequencer = new Sequencer({ clock, generation: 'g', ackMs: 100, onSilent: (member) => silent.push(member) })
})

/** A member that keeps what it is told, and acknowledges when asked to. */
function join(id: string): { told: ToMember[]; ack(matched?: number): void } {
  const told: ToMember[] = []
  sequencer.join(id, (message) => told.push(message))
  const ack = (matched = 0): void => {
    for (const message of told) if (message.type === 'record') sequencer.acknowledge(id, message.record.sequence, matched)
  }
  return { told, ack }
}

function append(origin: string): { settled: () => Settled | undefined } {
  let settled: Settled | undefined
  void sequencer.append(origin, DRAFT, () => {}).then((given) => (settled = given))
  return { settled: () => settled }
}

describe('sequencer: one order, and an end that all have reached', () => {
  it('gives every record a place, and tells every member but its author in that order', () => {
    const [a, b] = [join('a'), join('b')]

    append('a')
    append('b')

    expect(sequencer.sequence).toBe(2)
    expect(a.told.map((message) => message.type === 'record' && message.record.sequence)).toEqual([2])
    expect(b.told.map((message) => message.type === 'record' && message.record.sequence)).toEqual([1])
  })

  it('settles when the last member has acknowledged, with what all held', async () => {
    const [, b, c] = [join('a'), join('b'), join('c')]
    const record = append('a')
    b.ack(2)
    await settle()
    expect(record.settled()).toBeUndefined()

    c.ack(3)
    await settle()

    expect(record.settled()).toEqual({ sequence: 1, expected: 3, acknowledged: 3, matched: 5 })
  })

  it('settles at once when nobody else follows', async () => {
    join('a')
    const record = append('a')
    await settle()
    expect(record.settled()).toEqual({ sequence: 1, expected: 1, acknowledged: 1, matched: 0 })
  })

  it('hands a silent member over and waits for its end, which takes it out of the count', async () => {
    const [, b] = [join('a'), join('b'), join('c')]
    const record = append('a')
    b.ack()

    await clock.advanceAsync(100)
    expect(silent).toEqual(['c'])
    expect(record.settled()).toBeUndefined()
    sequencer.leave('c')
    await settle()

    expect(record.settled()).toEqual({ sequence: 1, expected: 2, acknowledged: 2, matched: 0 })
  })

  it('says who is missing when even the end of a silent member does not come', async () => {
    join('a')
    join('b')
    const record = append('a')

    await clock.advanceAsync(200)

    expect(record.settled()).toEqual({ sequence: 1, expected: 2, acknowledged: 1, matched: 0 })
  })

  it('takes acknowledgements for nothing that is settled, and tells members that join only what comes after', async () => {
    const b = join('b')
    const record = append('a')
    b.ack()
    b.ack()
    const c = join('c')
    await settle()

    expect(record.settled()?.acknowledged).toBe(2)
    expect(c.told).toEqual([])
    expect(sequencer.members).toBe(2)
  })
})

describe("a member's end of the log", () => {
  let said: string[]
  let receiver: LinkReceiver

  beforeEach(() => {
    said = []
    receiver = {
      apply: ({ sequence }) => said.push(`apply ${sequence}`),
      reach: (sequence) => void said.push(`reach ${sequence}`),
      blind: () => void said.push('blind'),
      see: () => void said.push('see'),
      prove: () => {},
      doubt: () => {},
      renew: () => {},
    }
  })

  function open(): { link: SequencedLink; told: ToSequencer[] } {
    const told: ToSequencer[] = []
    const link = new SequencedLink({
      clock,
      generation: 'g',
      sequence: 7,
      blindAfterMs: 100,
      tell: (message) => told.push(message),
    })
    expect(link.start(receiver)).toBe(7)
    return { link, told }
  }

  it('applies, acknowledges, and learns the place of its own records in order', () => {
    const { link, told } = open()
    void link.publish(DRAFT)

    link.receive({ type: 'record', record: { ...DRAFT, sequence: 8 } })
    link.receive({ type: 'ordered', id: 1, sequence: 9 })

    expect(said).toEqual(['apply 8', 'reach 9'])
    expect(told).toEqual([
      { type: 'append', id: 1, draft: DRAFT },
      { type: 'applied', sequence: 8, matched: 1 },
    ])
  })

  it('is blind after a silence and sees again with a beat, not with a record', async () => {
    const { link } = open()
    await clock.advanceAsync(130)
    expect(said).toEqual(['blind'])

    link.receive({ type: 'record', record: { ...DRAFT, sequence: 8 } })
    expect(said).toEqual(['blind', 'apply 8'])
    link.receive({ type: 'beat', members: 3 })

    expect(said).toEqual(['blind', 'apply 8', 'see'])
  })

  it('gives a publisher up only after a longer silence, and says that nobody acknowledged', async () => {
    const { link } = open()
    link.receive({ type: 'beat', members: 3 })
    let settled: Settled | undefined
    void link.publish(DRAFT).then((given) => (settled = given))

    await clock.advanceAsync(140)
    expect(settled).toBeUndefined()
    await clock.advanceAsync(40)

    expect(settled).toEqual({ sequence: 0, expected: 3, acknowledged: 1, matched: 0 })
  })

  it('is blind for good when its channel is cut, and hears nothing more', () => {
    const { link } = open()
    link.cut()
    link.receive({ type: 'beat', members: 3 })
    expect(said).toEqual(['blind'])
  })

  it("is a plain call in the sequencer's own process", async () => {
    const link = ownLink(sequencer, 'own')
    expect(link.start(receiver)).toBe(0)
    const other = join('other')

    const mine = link.publish(DRAFT)
    append('other')
    other.ack(4)

    expect(said).toEqual(['reach 1', 'apply 2'])
    expect(await mine).toEqual({ sequence: 1, expected: 2, acknowledged: 2, matched: 4 })
  })
})
