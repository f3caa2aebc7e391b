/**
 * Two gateways that should do the same, set against each other over generated conversations.
 */
import { type Arm, type Calm, ForwardClock, startArm, turns } from './lane-arm.ts'
import { converse, type Door, type Stage, type Step } from './lane-case.ts'
import { differences } from './lane-compare.ts'
import { Dice } from './lane-dice.ts'
import type { HeadLimits } from './lane-hostile.ts'
import { anyConversation } from './lane-schedule.ts'
import { shrink } from './lane-shrink.ts'

/** Limits near which heads are generated. */
export const LIMITS: HeadLimits = { head: 4096, fields: 40, target: 1024 }

/** Enough for a machine that is not overloaded; what differs is looked at twice again, with patience. */
const CALM: Calm = { turns: 40, ms: 0 }
const PATIENT: Calm = { turns: 200, ms: 25 }
/** A connection that was refused is read away for a second. */
const LINGER_MS = 3000

/** See the module's header. */
export interface Duel {
  readonly stage: Stage
  /** Runs a conversation on both. @returns what differs, in words, with the smallest conversation that shows it; or undefined */
  judge(steps: readonly Step[]): Promise<string | undefined>
  /** Judges the conversations of these seeds. @returns what differs, with its seed; at most five */
  judgeSeeds(first: number, count: number): Promise<string[]>
  /** What both logged as errors, and what either holds although nobody is connected any more. */
  remains(): Promise<string[]>
  close(): Promise<void>
}

/** What is talked about, and where. */
export interface Matter {
  readonly door?: Door
  readonly conversation: (dice: Dice) => Step[]
}

/** What `anyConversation` has to say to the gateway. */
export const GATEWAY_MATTER: Matter = { conversation: (dice) => anyConversation(dice, LIMITS) }

/** @param values configuration of both, without origin and addresses; the first has the lane, the second has not */
export async function startDuel(
  values: Readonly<Record<string, unknown>> = {},
  { lanes = [true, false], matter = GATEWAY_MATTER }: { readonly lanes?: readonly boolean[]; readonly matter?: Matter } = {},
): Promise<Duel> {
  const clock = new ForwardClock()
  const common = { ...values, limits: { ...LIMITS, keepAlive: '1h' } }
  const arms = await Promise.all(lanes.map((lane) => startArm(lane ? 'lane' : 'http', clock, { ...common, lane })))
  const stage: Stage = { arms, clock, calm: CALM, ...(matter.door && { door: matter.door }) }
  const compare = async (steps: readonly Step[], calm: Calm): Promise<string[]> => {
    const [one, other] = await converse({ ...stage, calm }, steps)
    return one === undefined || other === undefined ? [] : differences(one, other)
  }
  const judge = async (steps: readonly Step[]): Promise<string | undefined> => {
    if ((await compare(steps, CALM)).length === 0) return undefined
    const first = await compare(steps, PATIENT)
    if (first.length === 0 || (await compare(steps, PATIENT)).length === 0) return undefined
    const shows = async (tried: readonly Step[]): Promise<boolean> =>
      signature(await compare(tried, PATIENT)) === signature(first)
    const least = await shrink(steps, shows)
    return [
      ...least.map((step) => `  ${JSON.stringify(step).replaceAll(/(.{1,30}?)\1{20,}/g, '$1…')}`),
      ...(await compare(least, PATIENT)),
    ].join('\n')
  }
  return {
    stage,
    judge,
    async judgeSeeds(first, count) {
      const found: string[] = []
      for (let seed = first; seed < first + count && found.length < 5; seed += 1) {
        const told = await judge(matter.conversation(new Dice(seed)))
        if (told !== undefined) found.push(`seed ${seed}\n${told}`)
      }
      return found
    },
    async remains() {
      const left = (): string[] => arms.flatMap((arm) => [...arm.errors, ...held(arm)])
      const deadline = Date.now() + LINGER_MS
      while (left().length > 0 && Date.now() < deadline) await turns(10)
      return left()
    },
    async close() {
      await Promise.all(arms.map((arm) => arm.close()))
    },
  }
}

/** What kind of difference it is, so that a smaller conversation is not about another one. */
function signature([first = '']: readonly string[]): string {
  const [kind = '', one = '', other = ''] = first.split('\n')
  let at = 0
  while (at < one.length && one[at] === other[at]) at += 1
  return `${kind} ${one.slice(at, at + 20)} ${other.slice(at, at + 20)}`.replaceAll(/\d+/g, 'N')
}

/** What is given back when nobody is connected any more. */
const GIVEN_BACK = ['fills', 'streams', 'requests', 'coding'] as const

function held({ name, gateway }: Arm): string[] {
  const accounts = gateway.cache.engine.ledger.list()
  const { flights, refreshing } = gateway.cache.stats()
  const bytes = GIVEN_BACK.filter((account) => accounts[account] !== 0).map(
    (account) => `${accounts[account]} bytes of ${account}`,
  )
  return [...bytes, ...(flights + refreshing > 0 ? [`${flights} flights, ${refreshing} refreshes`] : [])].map(
    (one) => `${name} holds ${one}`,
  )
}
