/**
 * Which dimensions of a route decide its answer, and which do not.
 *
 * Floor 4, room advice. First those are chosen, one after the other, that tell most of why answers differ, given those chosen
 * before: what merely goes along with one of them falls out. Then each dimension is judged among requests that agree in all that
 * were chosen but itself. Nothing else has to agree: cache busters and a dozen of parameters hide nothing. In doubt
 * a dimension stays unclear, and counts. About 50 ns a row and dimension, a few rounds.
 */
import { Gathered } from './gathered.ts'
import { Groups } from './groups.ts'
import { mix } from './hash.ts'
import { type Evidence, evidenceOf, judgeGathered, type Judgement } from './judgement.ts'
import { REST, type DimensionName, type RouteTable, TRACKING } from './route-table.ts'
import { excess, GAPS, gapOf, STRATUM } from './strata.ts'

/** A dimension and what was found of it. */
export interface Dimension extends Judgement {
  readonly name: DimensionName
  readonly evidence: Evidence
  /** Share of the requests that bore it. */
  readonly present: number
}

/** Address of whoever asked, as a dimension. */
export const CLIENT: DimensionName = 'client'

const MAX_ROWS = 150_000
const ROUNDS = 5
const MAX_CHOSEN = 12
/** Standard deviations that choose. */
const CHOOSES = 5
/** Where another tells as much as who asks, it is the other; where something tells as much as who is logged in, it is he. */
const WORTH: Readonly<Record<DimensionName, number>> = { [CLIENT]: 0.8, user: 1.05 }
/** Sizes that are alike so often that they say nothing. */
const MAX_ALIKE = 0.5
const SECOND = 1000

interface Subject {
  readonly name: DimensionName
  readonly column: Int32Array
  readonly seed: number
  readonly present: number
  judgement: Judgement
  evidence: Evidence
}

/** What is looked at: the rows in order of their time, and what they have in common. */
interface Scene {
  readonly table: RouteTable
  /** Rows with an answer that can be compared, in order of time. */
  readonly order: Int32Array
  readonly subjects: readonly Subject[]
  readonly isTelling: boolean
  /** How exactly times are told; ms. */
  readonly preciseMs: number
}

const NOTHING: Evidence = { pairs: 0, differing: 0, repeats: 0, repeatsDiffering: 0 }

/**
 * @param maxRows the last ones that are looked at
 * @returns every dimension of the route, CLIENT among them where the log tells it
 */
export function inferDimensions(table: RouteTable, maxRows: number = MAX_ROWS): Dimension[] {
  const scene = createScene(table, maxRows)
  let chosen = choose(scene)
  for (let round = 0; round < ROUNDS; round += 1) {
    const next = judgeAll(scene, chosen)
    if (next.length === chosen.length && next.every((one) => chosen.includes(one))) break
    chosen = next
  }
  return scene.subjects.map(({ name, judgement, evidence, present }) => ({ name, ...settle(name, judgement), evidence, present }))
}

/** Tracking parameters are known not to matter until they are seen to; a dimension made of many is never trusted. */
function settle(name: DimensionName, judgement: Judgement): Judgement {
  if (name === TRACKING && judgement.verdict === 'unclear') return { verdict: 'irrelevant', confidence: 0.9 }
  return name === REST ? { verdict: 'deciding', confidence: 1 } : judgement
}

function createScene(table: RouteTable, maxRows: number): Scene {
  const order = orderOf(table, maxRows)
  const subjects = table.names.map((name, index) => createSubject(name, table.columns[index] as Int32Array, order))
  const client = createSubject(CLIENT, table.client, order)
  if (client.present > 0) subjects.unshift(client)
  const preciseMs = order.every((row) => (table.at[row] as number) % SECOND === 0) ? SECOND : 1
  return { table, order, subjects, preciseMs, isTelling: table.digested * 2 > table.seen || isTelling(table, order) }
}

function createSubject(name: DimensionName, column: Int32Array, order: Int32Array): Subject {
  let present = 0
  for (const row of order) if (column[row] !== 0) present += 1
  return {
    ...{ name, column, seed: seedOf(name), evidence: NOTHING },
    present: order.length === 0 ? 0 : present / order.length,
    judgement: { verdict: 'unclear', confidence: 0 },
  }
}

/** One after the other, the one that tells most. */
function choose(scene: Scene): Subject[] {
  const chosen = scene.subjects.filter(({ name }) => name === REST)
  while (chosen.length < MAX_CHOSEN) {
    const open = scene.subjects.filter((one) => !chosen.includes(one))
    const worth = worthOf(scene, open, chosen)
    let best = -1
    for (const [at, value] of worth.entries()) if (value >= CHOOSES && value > (worth[best] ?? 0)) best = at
    if (best < 0) break
    chosen.push(open[best] as Subject)
  }
  return chosen
}

/** How much more often two in a row differ that differ in a dimension, for each, in standard deviations. */
function worthOf({ table, order }: Scene, open: readonly Subject[], chosen: readonly Subject[]): number[] {
  const groups = new Groups(order.length)
  const strata = open.map(() => new Float64Array(GAPS * STRATUM))
  for (const row of order) {
    const at = groups.find(groupOf(table, row, chosen))
    const last = groups.row[at] as number
    groups.row[at] = row
    if (last < 0) continue
    const isDiffering = table.answer[last] !== table.answer[row]
    const stratum = gapOf((table.at[row] as number) - (table.at[last] as number)) * STRATUM
    for (let place = 0; place < open.length; place += 1) {
      const { column } = open[place] as Subject
      const counts = strata[place] as Float64Array
      const cell = stratum + (column[last] === column[row] ? 0 : 2)
      counts[cell] = (counts[cell] as number) + 1
      if (isDiffering) counts[cell + 1] = (counts[cell + 1] as number) + 1
    }
  }
  return strata.map((counts, place) => excess(counts).z * (WORTH[open[place]?.name ?? ''] ?? 1))
}

/** @returns what is to be taken for chosen from now on */
function judgeAll(scene: Scene, chosen: readonly Subject[]): Subject[] {
  for (const subject of scene.subjects) {
    const rest = chosen.filter((one) => one !== subject)
    const found = gather(scene, subject, rest)
    subject.evidence = evidenceOf(found)
    subject.judgement = judgeGathered(found, scene.isTelling || rest.length > 0) // where another decides, answers do tell
  }
  return scene.subjects.filter((one) => {
    const { verdict } = one.judgement
    return verdict === 'deciding' || one.name === REST || (verdict === 'unclear' && chosen.includes(one))
  })
}

function gather({ table, order, preciseMs }: Scene, { column, seed }: Subject, rest: readonly Subject[]): Gathered {
  const found = new Gathered(preciseMs)
  const [groups, own] = [new Groups(order.length), new Groups(order.length)]
  for (const row of order) {
    const answer = table.answer[row] as number
    const group = groupOf(table, row, rest)
    const at = groups.find(group)
    const ownAt = own.find((group + mix(column[row] as number, seed ^ OWN)) | 0)
    const [last, ownLast] = [groups.row[at] as number, own.row[ownAt] as number]
    if (last >= 0) {
      const isDiffering = table.answer[last] !== answer
      const isOther = column[last] !== column[row]
      found.pair((table.at[row] as number) - (table.at[last] as number), isOther, isDiffering)
      if (isDiffering && groups.former[at] === answer) found.returns += 1
      if (isDiffering) groups.former[at] = table.answer[last] as number
      if (isOther && ownLast >= 0 && table.answer[ownLast] === answer) {
        found.between += 1
        if (isDiffering) found.betweenDiffering += 1
      }
    }
    if (own.former[ownAt] === answer) {
      found.alike += 1
      if (table.answer[ownLast] !== answer) found.alikeDiffering += 1
    }
    if (ownLast >= 0) own.former[ownAt] = table.answer[ownLast] as number
    groups.row[at] = row
    own.row[ownAt] = row
  }
  return found
}

/** Tells a group with a value of its own from the one without. */
const OWN = 0x3c6ef372

function groupOf(table: RouteTable, row: number, rest: readonly Subject[]): number {
  let sum = table.path[row] as number
  for (const { column, seed } of rest) {
    const value = column[row] as number
    if (value !== 0) sum = (sum + mix(value, seed)) | 0
  }
  return sum
}

/** A dimension's share of a key. */
export function seedOf(name: DimensionName): number {
  let seed = 0x2545f491
  for (let i = 0; i < name.length; i += 1) seed = mix(seed, name.charCodeAt(i))
  return seed
}

function orderOf(table: RouteTable, maxRows: number): Int32Array {
  const rows: number[] = []
  for (let row = Math.max(0, table.rows - maxRows); row < table.rows; row += 1) if (table.answer[row] !== 0) rows.push(row)
  return Int32Array.from(rows.sort((a, b) => (table.at[a] as number) - (table.at[b] as number) || a - b))
}

/** Whether sizes tell anything apart: where all are one, no parameter can be seen to matter. */
function isTelling(table: RouteTable, order: Int32Array): boolean {
  const counts = new Map<number, number>()
  for (const row of order) counts.set(table.answer[row] as number, (counts.get(table.answer[row] as number) ?? 0) + 1)
  let alike = 0
  for (const count of counts.values()) alike += (count / order.length) ** 2
  return alike < MAX_ALIKE
}
