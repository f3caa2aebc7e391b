/**
 * Scenarios in which the instance falls ill that loads a key for all the others.
 *
 * The origin keeps the requests for one key until the scenario lets go of them, so that it is known who loads and who waits.
 */
import type { Arena } from './arena.ts'
import type { Instance } from './instance.ts'
import type { Scenario } from './scenario.ts'

/** Patient: what is tested is not how fast a busy machine is. */
const L2 = { deadline: 2000, lease: { deadline: 2000, time: 2000 } }
/** Clients wait for as long as a lease lasts whose holder has died, and for the scenario. */
const READ_MS = 8000

interface Scene {
  readonly key: string
  readonly holder: Instance
  /** Answers what the origin keeps. */
  readonly open: () => void
  /** What clients of the others wait for. */
  readonly waiting: Promise<unknown>
  readonly others: readonly Instance[]
  /** Questions of the others that the store had not answered before. */
  readonly strayed: number
}

/**
 * Who finds that the store does not answer, while he asks or while he waits, or waits in vain, loads for himself: so it is meant, and
 * on a machine that gives an instance no core for 150 ms it happens. Each of these is counted, and allows one load more.
 */
async function strays(others: readonly Instance[]): Promise<number> {
  const all = others.map(async (one) => {
    const questions = await one.metric('forecache_lease_questions', 'down')
    return questions + (await one.metric('forecache_lease_waits', 'late')) + (await one.metric('forecache_lease_waits', 'down'))
  })
  return (await Promise.all(all)).reduce((sum, count) => sum + count, 0)
}

/** One instance loads a key, clients of all the others wait for it. */
async function begin(arena: Arena, isInBody: boolean): Promise<Scene> {
  const { origin, instances } = arena.stand
  const key = `lease-${Math.floor(arena.random() * 1e9)}`
  const [holder] = arena.some(1) as [Instance]
  const others = instances.filter((one) => one !== holder)
  const strayed = await strays(others)
  const open = origin.hold(key, isInBody)
  arena.onEnd(open)
  const first = arena.traffic.read(holder, key)
  await arena.until(() => origin.loadsOf(key).length > 0, 'the first load')
  arena.say(`${holder.name} loads ${key}, the others wait`)
  const reads = others.flatMap((one) => Array.from({ length: 5 }, () => arena.traffic.read(one, key)))
  await arena.wait(arena.between(150, 400))
  return { key, holder, open, waiting: Promise.all([first, ...reads]), others, strayed }
}

/** The load of the one that has taken the holder's place. */
async function succeed(arena: Arena, { key }: Scene): Promise<void> {
  await arena.until(() => arena.stand.origin.loadsOf(key).length > 1, 'a successor')
  arena.say('another one loads')
  await arena.wait(arena.between(0, 300))
}

/** Everybody gets his answer, and whoever comes later has it from a cache: two requests in all. */
async function finish(arena: Arena, { key, open, waiting, others, strayed }: Scene, back?: Promise<void>): Promise<void> {
  open()
  await waiting
  for (const one of others) await arena.traffic.read(one, key)
  arena.expectLoads(key, 2 + (await strays(others)) - strayed)
  await back // a new life may ask for itself, as long as it has not found the store
}

/**
 * The holder stood still, and what it gets now is an error: of no use to anybody but those who ask it. Where somebody has strayed, its
 * place was perhaps not taken yet: then it has ended its own lease rightly, and each client of the others asks for himself.
 */
async function finishRefused(arena: Arena, scene: Scene): Promise<void> {
  const isWhole = (await strays(scene.others)) === scene.strayed
  if (isWhole) return finish(arena, scene)
  arena.say('not judged: the store did not answer somebody who waited')
  scene.open()
  await scene.waiting
}

/** See the module's header. */
export const LEASE_FAULTS: readonly Scenario[] = [
  ...(['gateway', 'library'] as const).map(
    (door): Scenario => ({
      name: `lease-holder-killed-${door}`,
      text: 'kill -9 of the instance that loads a key for all; one of those who wait takes its place, and only one.',
      build: { door, l2: L2, readMs: READ_MS },
      async run(arena) {
        const scene = await begin(arena, false)
        const back = arena.kill(scene.holder, arena.between(0, 300))
        await succeed(arena, scene)
        await finish(arena, scene, back)
      },
    }),
  ),
  {
    name: 'lease-holder-killed-in-body',
    text: 'The same in the middle of a body that the others read along: their answers are whole.',
    build: { l2: L2, readMs: READ_MS },
    async run(arena) {
      const scene = await begin(arena, true)
      const back = arena.kill(scene.holder, arena.between(0, 300))
      await succeed(arena, scene)
      await finish(arena, scene, back)
    },
  },
  ...(['gateway', 'library'] as const).map(
    (door): Scenario => ({
      name: `lease-holder-stops-${door}`,
      text: "It stands still until another has taken its place, goes on and gets nothing: it ends its own lease and nobody else's.",
      build: { door, l2: L2, readMs: READ_MS },
      async run(arena) {
        const scene = await begin(arena, false)
        const { key, holder } = scene
        const resume = arena.halt(holder)
        await succeed(arena, scene)
        resume()
        await arena.wait(50)
        arena.say(`the origin refuses ${holder.name}`)
        arena.stand.origin.refuse(key, 0)
        await arena.wait(arena.between(300, 700))
        await finishRefused(arena, scene)
      },
    }),
  ),
  {
    name: 'lease-store-freezes',
    text: 'The store stands still while one loads and the others wait: each loads for itself, and nobody waits for long.',
    build: { l2: { deadline: 200, lease: { deadline: 200, time: 500 } } },
    async run(arena) {
      const scene = await begin(arena, false)
      const thaw = arena.freeze()
      await arena.wait(arena.between(0.5, 2) * arena.blindAfterMs)
      scene.open()
      await scene.waiting
      thaw()
    },
  },
]
