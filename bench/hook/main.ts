/**
 * The hook: an awaited read from memory against the round trip over the loopback that it saves.
 *
 * `npm run bench -- hook [--client ioredis6] [--rounds N] [--json]`: each client with the hook and without, in processes of
 * their own, against one Redis on this machine; see child.ts. The factor compares the fastest rounds of both, because whatever
 * else runs on the machine only makes rounds slower.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { startRedis } from '../../test/support/redis-here.ts'
import { atMost, columns, describeMachine, type Goal, machine, quantile } from '../compare.ts'

const CLIENTS = ['ioredis5', 'ioredis6', 'redis5', 'redis6']
const REGISTER = pathToFileURL(join(import.meta.dirname, '../../src/entry/register.ts')).href

type Told = Readonly<Record<string, { readonly wall: readonly number[]; readonly cpu: readonly number[] }>>

/** @returns 1 when a figure was missed */
export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      client: { type: 'string', multiple: true, default: CLIENTS },
      rounds: { type: 'string', default: '15' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(`npm run bench -- hook [--client ${CLIENTS.join('|')}] [--rounds 15] [--json]\n`)
    return 0
  }
  const server = await startRedis()
  const rows: (string | number)[][] = [['client', 'read', 'hit ns', 'fastest', 'CPU ns', 'fastest round trip ns', 'times']]
  const goals: Goal[] = []
  try {
    for (const client of values.client) {
      const hits = measure(client, server.url, { rounds: values.rounds, isHooked: true })
      const trips = measure(client, server.url, { rounds: '5', isHooked: false })
      for (const [name, hit] of Object.entries(hits)) {
        const trip = Math.min(...(trips[name]?.wall ?? []))
        const wall = median(hit.wall)
        const fastest = Math.min(...hit.wall)
        rows.push([
          client,
          name,
          wall.toFixed(0),
          fastest.toFixed(0),
          median(hit.cpu).toFixed(0),
          trip.toFixed(0),
          (trip / fastest).toFixed(0),
        ])
        goals.push(...goalsOf(client, { name, cpu: median(hit.cpu), factor: trip / fastest }))
      }
    }
  } finally {
    await server.stop()
  }
  if (values.json) process.stdout.write(`${JSON.stringify({ machine: machine(values.client), rows, goals })}\n`)
  else process.stdout.write(`${describeMachine(machine(values.client))}\n${columns(rows)}\n${goals.map(goalText).join('\n')}\n`)
  return goals.every(({ isMet }) => isMet) ? 0 : 1
}

function goalsOf(client: string, { name, cpu, factor }: { name: string; cpu: number; factor: number }): Goal[] {
  const limit = name === 'get' ? (client.startsWith('ioredis') ? 250 : 400) : name.startsWith('hgetall') ? 1000 : undefined
  if (limit === undefined) return []
  const cost = atMost(`${client}: CPU ns per awaited ${name}`, cpu, limit)
  return name === 'get' ? [cost, atMost(`${client}: share of a round trip that a get costs`, 1 / factor, 0.01)] : [cost]
}

function goalText({ name, value, limit, isMet }: Goal): string {
  return `${isMet ? 'met   ' : 'missed'}  ${name}: ${value < 1 ? value.toFixed(4) : value.toFixed(0)}, at most ${limit}`
}

function measure(client: string, url: string, { rounds, isHooked }: { rounds: string; isHooked: boolean }): Told {
  const { NODE_OPTIONS: _, ...env } = process.env
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'child.ts')], {
    encoding: 'utf8',
    timeout: 300_000,
    env: {
      ...env,
      ...(isHooked ? { NODE_OPTIONS: `--import ${REGISTER}` } : {}),
      ...{ CLIENT: client, URL: url, ROUNDS: rounds, CALLS: isHooked ? '100000' : '5000' },
    },
  })
  if (status !== 0) throw new Error(`the child for ${client} ended with ${status}: ${stderr.slice(-2000)}`)
  return JSON.parse(stdout) as Told
}

function median(samples: readonly number[]): number {
  return quantile(
    samples.toSorted((a, b) => a - b),
    0.5,
  )
}
