/**
 * forecache in several processes of one machine: a supervisor with the sequencer, and workers that follow it over pipes.
 */
import type { Network } from '../../../src/sim/network.ts'
import type { SimNode } from '../../../src/sim/node.ts'
import type { FaultName } from '../../../src/sim/schedule.ts'
import type { Instance, TrialOptions } from '../../../src/sim/trial-options.ts'
import type { World } from '../../../src/sim/world.ts'
import { ownLink, SequencedLink } from '../../../src/tier/sequenced-link.ts'
import { Sequencer, type ToMember } from '../../../src/tier/sequencer.ts'
import { cacheOn, FLEET_PLAN, instanceOf } from './streamed.ts'

const ACK_MS = 250
const BLIND_MS = 250
const BEAT_MS = 50
/** What a process takes to be started again. */
const START_MS = 3

/** What may be broken on purpose, to prove that the judge sees it. */
export type SequencedSabotage = 'nobody goes blind' | 'silent members live on'

interface Worker {
  readonly id: string
  readonly node: SimNode
}

/** What the processes of one machine share: who is who. */
interface Machine {
  supervisor: SimNode
  sequencer: Sequencer
  readonly workers: Map<string, Worker>
}

/** By the world's network. */
const machines = new WeakMap<Network, Machine>()

/** A trial of it: processes that stand still or die; a silent worker is ended. */
export function sequenced(sabotage?: SequencedSabotage): TrialOptions {
  return {
    ...FLEET_PLAN,
    faults: ['pause', 'crash', 'step-clock'] satisfies FaultName[],
    warmUp: 20,
    check: goneOnceAnswered,
    start: (node) => (node.name === 'n1' ? supervise(node, sabotage) : work(node, sabotage)),
  }
}

/** Who was not heard is blind or ended by the time at which a writer is answered; the supervisor itself if all have heard. */
function goneOnceAnswered({ history: { reads, writes } }: World): string[] {
  const texts: string[] = []
  for (const { node, key, version, begun, isCached, error } of reads) {
    const gone = writes.find((write) => {
      const counts = node !== 'n1' || write.acknowledged === write.expected
      return counts && write.key === key && write.version > version && write.ended < begun && write.error === undefined
    })
    if (gone === undefined || version < 0 || error !== undefined) continue
    texts.push(`${node} gave ${key} v${version}${isCached ? ' from its cache' : ''} after v${gone.version} was answered`)
  }
  return texts
}

function supervise(node: SimNode, sabotage: SequencedSabotage | undefined): Instance {
  const { clock, network } = node
  const sequencer = new Sequencer({
    clock,
    generation: `g${node.process.life}`,
    ackMs: ACK_MS,
    onSilent: (id) => {
      const worker = machine.workers.get(id.split('.')[0] ?? '')
      if (sabotage !== 'silent members live on' && worker?.id === id) worker.node.fail(START_MS)
      clock.after(1, () => sequencer.leave(id))
    },
  })
  const machine: Machine = { supervisor: node, sequencer, workers: machines.get(network)?.workers ?? new Map() }
  machines.set(network, machine)
  for (const { node: worker } of machine.workers.values()) worker.fail(START_MS) // workers go with their supervisor
  const cache = cacheOn(node)
  cache.engine.join(ownLink(sequencer, 'own'))
  const pulse = (): void => {
    clock.after(BEAT_MS, () => {
      clock.after(0, () => sequencer.beat()) // what lay in the pipes comes first
      pulse()
    })
  }
  pulse()
  return instanceOf(cache, node)
}

function work(node: SimNode, sabotage: SequencedSabotage | undefined): Instance {
  const { network, clock, process } = node
  const machine = machines.get(network)
  if (machine === undefined) throw new Error('the supervisor is started first')
  const { sequencer, supervisor, workers } = machine
  const id = `${node.name}.${process.life}`
  const former = workers.get(node.name)?.id
  workers.set(node.name, { id, node })
  const up = network.channel(process, supervisor.process)
  const down = network.channel(supervisor.process, process)
  let link: SequencedLink | undefined
  // It serves only after it has heard that it was taken in.
  const joined = new Promise<Instance>((resolve) => {
    up(() => {
      if (former !== undefined) sequencer.leave(former)
      const sequence = sequencer.join(id, (message: ToMember) => down(() => link?.receive(message)))
      down(() => {
        link = new SequencedLink({
          ...{ clock, generation: sequencer.generation, sequence, blindAfterMs: BLIND_MS },
          tell: (message) => up(() => sequencer.receive(id, message)),
        })
        const cache = cacheOn(node)
        const shared = cache.engine.join(link)
        if (sabotage === 'nobody goes blind') shared.blind = () => {}
        resolve(instanceOf(cache, node))
      })
    })
  })
  return {
    read: async (key, options) => (await joined).read(key, options),
    invalidate: async (key, version) => (await joined).invalidate(key, version),
  }
}
