/**
 * One soak: origin and gateway as processes, the clients here, a look at the gateway each second.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent } from 'node:http'
import { fileURLToPath } from 'node:url'
import { createRandom } from '../../src/model/random.ts'
import { type GatewayChild, startGateway } from './gateway.ts'
import { runClient } from './clients.ts'
import { type Endings, type Field, noEndings } from './field.ts'
import type { OriginCounts } from './origin.ts'
import type { SoakPlan } from './plan.ts'
import type { Seen } from './verdict.ts'
import { look, rssOf, type Sample } from './watch.ts'

const SETTLE_MS = 1500
/** Kept-alive connections to the origin and slow readers are gone after this. */
const QUIET_MS = 6000
const INVALIDATE_EVERY_MS = 500

/** Runs a plan. @param tell called once a second with what was seen */
export async function runSoak(plan: SoakPlan, tell: (sample: Sample, endings: Endings) => void): Promise<Seen> {
  const origin = fork(fileURLToPath(new URL('./origin.ts', import.meta.url)), [String(plan.seed)], { execArgv: [] })
  const [{ port: originPort }] = (await once(origin, 'message')) as [{ port: number }]
  const gateway = await startGateway(originPort, plan.memoryBytes)
  try {
    await pause(SETTLE_MS)
    const baseBytes = rssOf(gateway.pid)
    const idle = await look(gateway, 0)
    const endings = noEndings()
    const samples = await load(plan, { gateway, endings, tell })
    await pause(QUIET_MS)
    const after = await look(gateway, plan.seconds)
    const stats = (await (await fetch(`http://127.0.0.1:${gateway.apiPort}/v1/stats`)).json()) as {
      memory: { ledger: { fills: number } }
    }
    const counts = await countsOf(origin)
    const exitCode = await gateway.stop()
    return {
      plan,
      baseBytes,
      idleFiles: idle.files,
      samples,
      endings,
      origin: counts,
      filesAfter: after.files,
      fillsAfter: stats.memory.ledger.fills,
      exitCode,
    }
  } finally {
    gateway.kill()
    origin.disconnect()
  }
}

interface Load {
  readonly gateway: GatewayChild
  readonly endings: Endings
  readonly tell: (sample: Sample, endings: Endings) => void
}

async function load(plan: SoakPlan, { gateway, endings, tell }: Load): Promise<Sample[]> {
  const began = Date.now()
  const endsAt = began + plan.seconds * 1000
  const agent = new Agent({ keepAlive: true, maxSockets: plan.clients })
  const shared = { port: gateway.port, plan, endings, agent, tags: new Map<number, string>() }
  const clients = Array.from({ length: plan.clients }, (_, i) => {
    const field: Field = { ...shared, random: createRandom(plan.seed * 1000 + i) }
    return runClient(field, endsAt)
  })
  const samples: Sample[] = []
  const watching = setInterval(() => {
    look(gateway, (Date.now() - began) / 1000).then(
      (sample) => {
        samples.push(sample)
        tell(sample, endings)
      },
      () => {}, // a gateway that is gone is told by its exit code
    )
  }, 1000)
  const random = createRandom(plan.seed + 7)
  const invalidating = setInterval(() => void invalidate(gateway.apiPort, Math.floor(random() * 50)), INVALIDATE_EVERY_MS)
  await Promise.all(clients)
  clearInterval(watching)
  clearInterval(invalidating)
  agent.destroy()
  return samples
}

async function invalidate(apiPort: number, group: number): Promise<void> {
  await fetch(`http://127.0.0.1:${apiPort}/v1/invalidate`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ tags: [`group:${group}`] }),
  }).catch(() => {})
}

async function countsOf(origin: ChildProcess): Promise<OriginCounts> {
  const answered = once(origin, 'message') as Promise<[{ counts: OriginCounts }]>
  origin.send('counts')
  const [{ counts }] = await answered
  return counts
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
