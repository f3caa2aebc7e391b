/**
 * Scenarios in which clocks are set by an hour: of an instance, of the store.
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Arena } from './arena.ts'
import type { Scenario } from './scenario.ts'
import { clockEnv, setClock, whyNoClocks } from './wall.ts'

const STEPS = [3600, -3600, 0] as const

const clockOf = (folder: string): string => join(folder, 'clock')
const storeClock = (name: string): string => join(tmpdir(), `forecache-chaos-${process.pid}-${name}`)

/** See the module's header. */
export const CLOCK_FAULTS: readonly Scenario[] = [
  ...(['gateway', 'library'] as const).map(
    (door): Scenario => ({
      name: `clock-of-instance-${door}`,
      text: "An instance's clock is set by an hour, forward and back.",
      skip: whyNoClocks,
      build: { door, budgetMs: 2000, env: (_, folder) => clockEnv(clockOf(folder)) },
      async run(arena) {
        for (let i = 0; i < 4; i += 1) {
          const { recipe, name } = arena.one()
          set(arena, clockOf(recipe.folder), name)
          await arena.wait(arena.between(200, 800))
        }
        for (const { recipe } of arena.stand.instances) setClock(clockOf(recipe.folder), 0)
      },
    }),
  ),
  ...([2000, 60_000] as const).map((budgetMs): Scenario => {
    const name = `clock-of-store-${budgetMs / 1000}s`
    const file = storeClock(name)
    return {
      name,
      text: `The store's clock is set by an hour, forward and back; budgets of ${budgetMs / 1000} s.`,
      skip: whyNoClocks,
      build: { budgetMs, redisEnv: () => clockEnv(file), door: budgetMs > 2000 ? 'gateway' : 'library' },
      async run(arena) {
        for (let i = 0; i < 5; i += 1) {
          set(arena, file, 'the store')
          await arena.wait(arena.between(100, 700))
        }
        setClock(file, 0)
      },
    }
  }),
]

function set(arena: Arena, file: string, whose: string): void {
  const step = STEPS[Math.floor(arena.random() * STEPS.length)] ?? 0
  arena.say(`clock of ${whose}: ${step} s`)
  setClock(file, step)
}
