/**
 * Which dimensions of a route decide its answer, and which do not.
 *
 * Floor 4, room advice. The evidence for a dimension: two requests, one after the other, that agree in everything else. Where
 * they differ in this one and answers differ more often than between requests that agree in it too, it decides; where
 * they do not, after enough of them, it does not. In doubt it stays unclear, and counts. Dimensions found not to decide are left
 * out of "everything else", so that cache busters do not hide the others; about 30 ns a row and dimension, a few rounds.
 */
import { Gathered } from './gathered.ts'
import { type Evidence, judgeGathered, type Judgement, type Verdict } from './judgement.ts'
import { mix } from './hash.ts'
import { Groups } from './groups.ts'
import { REST, type DimensionName, type RouteTable, TRACKING } from './route-table.ts'

/** A dimension and what was found of it. */
export interface Dimension extends Judgement {
  readonly name: DimensionName
  readonly evidence: Evidence
  /** Share of the requests that bore it. */
  readonly present: number
}

/** Address of whoever asked, as a dimension. */
export const CLIENT: DimensionName = 'client'

/** Rows that are looked at: the last ones. */
const MAX_ROWS = 150_000
const ROUNDS = 4
/** Dimensions that may be let go of the rest, those of most values first. */
const MAX_LOOSE = 6
/** Answers that are alike so often that it says nothing. */
const MAX_ALIKE = 0.5

interface Subject {
  readonly name: DimensionName
  readonly column: Int32Array
  readonly seed: number
  readonly present: number
  /** Different values. */
  readonly values: number
  verdict: Verdict
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
}

const NOTHING: Evidence = { pairs: 0, differing: 0, repeats: 0, repeatsDiffering: 0, returns: 0 }

/** @returns every dimension of the route, CLIENT among them where the log tells it */
export function inferDimensions(table: RouteTable): Dimension[] {
  const scene = createScene(table)
  for (let round = 0; round < ROUNDS; round += 1) if (!runRound(scene)) break
  return scene.subjects.map(({ name, judgement, evidence, present }) => ({ name, ...settle(name, judgement), evidence, present }))
}

/** Tracking parameters are known not to matter until they are seen to; a dimension made of many is never trusted. */
function settle(name: DimensionName, judgement: Judgement): Judgement {
  if (name === TRACKING && judgement.verdict === 'unclear') return { verdict: 'irrelevant', confidence: 0.9 }
  return name === REST ? { verdict: 'deciding', confidence: 1 } : judgement
}

function createScene(table: RouteTable): Scene {
  const order = orderOf(table)
  const subjects = table.names.map((name, index) => createSubject(name, table.columns[index] as Int32Array, order))
  const client = createSubject(CLIENT, table.client, order)
  if (client.present > 0) subjects.unshift(client) // first: where it decides, it belongs to the rest of all others
  return { table, order, subjects, isTelling: isTelling(table, order) }
}

function createSubject(name: DimensionName, column: Int32Array, order: Int32Array): Subject {
  const values = new Set<number>()
  let present = 0
  for (const row of order) {
    const value = column[row] as number
    if (value === 0) continue
    present += 1
    values.add(value)
  }
  return {
    name,
    column,
    seed: seedOf(name),
    present: order.length === 0 ? 0 : present / order.length,
    values: values.size,
    verdict: 'unclear',
    judgement: { verdict: 'unclear', confidence: 0 },
    evidence: NOTHING,
  }
}

/** @returns whether anything was found */
function runRound(scene: Scene): boolean {
  let isNew = false
  for (const subject of scene.subjects) {
    if (subject.verdict !== 'unclear') continue
    const { evidence, judgement } = examine(scene, subject)
    if (judgement.verdict === 'unclear' && subject.evidence.pairs > evidence.pairs) continue
    subject.evidence = evidence
    subject.judgement = judgement
    subject.verdict = judgement.verdict
    if (judgement.verdict !== 'unclear') isNew = true
  }
  return isNew
}

/** With all the rest alike; where that says too little, with less and less of it: what then does not matter never does. */
function examine(scene: Scene, subject: Subject): { evidence: Evidence; judgement: Judgement } {
  let rest = scene.subjects.filter((one) => one !== subject && isRest(one))
  const gathered = gather(scene, subject, rest)
  const strict = { evidence: gathered.evidence(), judgement: judgeGathered(gathered, scene.isTelling) }
  if (strict.judgement.verdict !== 'unclear') return strict
  const open = rest.filter(({ verdict }) => verdict !== 'deciding').sort((a, b) => b.values - a.values)
  for (const one of open.slice(0, MAX_LOOSE)) {
    rest = rest.filter((other) => other !== one)
    const wider = gather(scene, subject, rest)
    const judgement = judgeGathered(wider, scene.isTelling)
    if (judgement.verdict === 'irrelevant') return { evidence: wider.evidence(), judgement }
  }
  return strict
}

/** What counts as "the rest" of a request. Who asked does only where it was seen to matter. */
function isRest({ name, verdict }: Subject): boolean {
  return name === CLIENT ? verdict === 'deciding' : verdict !== 'irrelevant'
}

function gather({ table, order }: Scene, { column }: Subject, rest: readonly Subject[]): Gathered {
  const found = new Gathered()
  const groups = new Groups(order.length)
  for (const row of order) {
    const answer = table.answer[row] as number
    const at = groups.find(groupOf(table, row, rest))
    const last = groups.row[at] as number
    if (last >= 0) {
      const isSame = table.answer[last] === answer
      const gapMs = (table.at[row] as number) - (table.at[last] as number)
      found.note(gapMs, { isRepeat: column[last] === column[row], isSame, isReturn: !isSame && groups.former[at] === answer })
      if (!isSame) groups.former[at] = table.answer[last] as number
    }
    groups.row[at] = row
  }
  return found
}

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

function orderOf(table: RouteTable): Int32Array {
  const rows: number[] = []
  for (let row = Math.max(0, table.rows - MAX_ROWS); row < table.rows; row += 1) if (table.answer[row] !== 0) rows.push(row)
  return Int32Array.from(rows.sort((a, b) => (table.at[a] as number) - (table.at[b] as number) || a - b))
}

/** Whether answers tell anything apart: where all have one size, no parameter can be seen to matter. */
function isTelling(table: RouteTable, order: Int32Array): boolean {
  const counts = new Map<number, number>()
  for (const row of order) counts.set(table.answer[row] as number, (counts.get(table.answer[row] as number) ?? 0) + 1)
  let alike = 0
  for (const count of counts.values()) alike += (count / order.length) ** 2
  return alike < MAX_ALIKE
}
