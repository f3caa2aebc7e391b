/**
 * How long the embedded mode holds everybody up at most: while its table grows, and while a snapshot is written.
 *
 * Usage: node stops.ts KEYS SNAPSHOT_KEYS FOLDER. Prints one line of JSON. Everything is done three times. A table grows at the same
 * keys each time, the machine disturbs at others: of each batch of 64 SETs the shortest time counts, and of these the
 * longest is told. Of the turns of the event loop while a snapshot is written: the longest of the calmest time.
 */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { systemClock } from '../../src/model/clock.ts'
import { Embedded } from '../../src/resp/embedded.ts'
import type { Keyspace } from '../../src/keyspace/keyspace.ts'

const [keys, saved, folder] = [Number(process.argv[2]), Number(process.argv[3]), process.argv[4] as string]
const BATCH = 64
const ROUNDS = 3
/** Written to a table of its own first: what is measured is the table, not the compiler. */
const WARM_KEYS = 200_000
const NAME = Buffer.from('key:0000000000000000', 'latin1')
const VALUE = Buffer.from(`$64\r\n${'v'.repeat(64)}\r\n`, 'latin1')

function put(space: Keyspace, number: number): void {
  const { table } = space
  const [database] = space.databases
  // By hand: nothing is left for the collector, whose stops are not the table's.
  for (let at = NAME.length - 1, left = number; at >= 4; at -= 1, left = Math.floor(left / 10)) NAME[at] = 48 + (left % 10)
  table.key.set(NAME, 0, NAME.length)
  table.key.space = database?.space ?? 0
  if (database?.putAsked(VALUE, 0, VALUE.length) !== true) throw new Error('not kept')
}

/** Fills a table. @param shortest ms of each batch so far */
function fill(count: number, shortest: Float64Array): void {
  const { space } = new Embedded({ clock: systemClock() }).server
  for (let batch = 0; batch < shortest.length && batch * BATCH < count; batch += 1) {
    const began = performance.now()
    for (let i = batch * BATCH; i < (batch + 1) * BATCH; i += 1) put(space, i)
    shortest[batch] = Math.min(shortest[batch] as number, performance.now() - began)
  }
}

/** @returns the longest batch, ms, up to each power of ten from the one before */
function grow(): { readonly keys: number; readonly longestMs: number; readonly meanMicros: number }[] {
  fill(WARM_KEYS, new Float64Array(WARM_KEYS / BATCH).fill(Number.POSITIVE_INFINITY))
  const shortest = new Float64Array(Math.ceil(keys / BATCH)).fill(Number.POSITIVE_INFINITY)
  for (let round = 0; round < ROUNDS; round += 1) fill(keys, shortest)
  const steps: { keys: number; longestMs: number; meanMicros: number }[] = []
  for (let from = 0, to = 10_000; from < keys; from = to, to *= 10) {
    const batches = shortest.subarray(from / BATCH, Math.min(to, keys) / BATCH)
    const all = batches.reduce((sum, one) => sum + one, 0)
    const meanMicros = (all * 1000) / (batches.length * BATCH)
    steps.push({ keys: Math.min(to, keys), longestMs: batches.reduce((most, one) => Math.max(most, one), 0), meanMicros })
  }
  return steps
}

/** Writes snapshots while the loop turns. */
async function save(): Promise<object> {
  const path = join(folder, 'bench.snapshot')
  const embedded = new Embedded({ clock: systemClock(), snapshot: { path, intervalMs: 0 } })
  await embedded.keeper?.open()
  for (let i = 0; i < saved; i += 1) put(embedded.server.space, i)
  let [tookMs, longestMs, micros] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let round = 0; round < ROUNDS; round += 1) {
    const beganMs = performance.now()
    const beganAt = process.cpuUsage()
    let isOver = false
    const done = embedded.keeper?.save().finally(() => {
      isOver = true
    })
    let longest = 0
    for (let before = performance.now(); !isOver; before = performance.now()) {
      await turn()
      longest = Math.max(longest, performance.now() - before)
    }
    await done
    const { user, system } = process.cpuUsage(beganAt)
    tookMs = Math.min(tookMs, performance.now() - beganMs)
    longestMs = Math.min(longestMs, longest)
    micros = Math.min(micros, user + system)
  }
  embedded.close()
  return { keys: saved, tookMs, cpuMicrosPerKey: micros / saved, longestMs, bytes: statSync(path).size }
}

const grown = grow()
process.stdout.write(`${JSON.stringify({ grown, saved: await save() })}\n`, () => process.exit(0))
