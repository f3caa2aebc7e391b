/**
 * Scenarios in which instances fall ill.
 */
import type { Scenario } from './scenario.ts'

/** See the module's header. */
export const INSTANCE_FAULTS: readonly Scenario[] = [
  { name: 'calm-gateway', text: 'Nothing goes wrong.', run: (arena) => arena.wait(1000) },
  { name: 'calm-library', text: 'Nothing goes wrong.', build: { door: 'library' }, run: (arena) => arena.wait(1000) },
  {
    name: 'kill-one',
    text: 'kill -9 of an instance, and a new life.',
    run: (arena) => arena.kill(arena.one(), arena.between(0, 500)),
  },
  {
    name: 'kill-two',
    text: 'kill -9 of two instances at once.',
    build: { door: 'library' },
    async run(arena) {
      await Promise.all(arena.some(2).map((instance) => arena.kill(instance, arena.between(0, 400))))
    },
  },
  {
    name: 'drain-one',
    text: 'SIGTERM of an instance under load, and a new life.',
    run: (arena) => arena.kill(arena.one(), 0, 'SIGTERM'),
  },
  {
    name: 'stop-briefly',
    text: 'An instance stands still for less than silence is trusted, again and again.',
    async run(arena) {
      for (let i = 0; i < 5; i += 1) {
        await arena.stop(arena.one(), arena.between(0.1, 0.9) * arena.blindAfterMs)
        await arena.wait(arena.between(0, 200))
      }
    },
  },
  {
    name: 'stop-longer',
    text: 'An instance stands still until it is taken for dead, and goes on.',
    build: { door: 'library' },
    run: (arena) => arena.stop(arena.one(), arena.between(1, 4) * arena.blindAfterMs),
  },
  {
    name: 'stop-strict',
    text: 'The same where a blind instance serves nothing it has stored.',
    build: { blind: 'miss' },
    run: (arena) => arena.stop(arena.one(), arena.between(1, 4) * arena.blindAfterMs),
  },
  {
    name: 'stop-beyond-timeouts',
    text: 'An instance stands still for longer than every timeout there is.',
    run: (arena) => arena.stop(arena.one(), 6000),
  },
  {
    name: 'stop-all',
    text: 'All instances stand still, and go on one after another.',
    async run(arena) {
      const all = arena.some(arena.stand.instances.length)
      await Promise.all(all.map((instance) => arena.stop(instance, arena.between(0.2, 3) * arena.blindAfterMs)))
    },
  },
  {
    name: 'stop-one-kill-other',
    text: 'One instance stands still while another is killed.',
    build: { door: 'library' },
    async run(arena) {
      const [one, other] = arena.some(2)
      if (one === undefined || other === undefined) return
      await Promise.all([arena.stop(one, arena.between(1, 3) * arena.blindAfterMs), arena.kill(other, arena.between(0, 300))])
    },
  },
  {
    name: 'away-beyond-log',
    text: 'An instance stands still while more is invalidated than the log keeps.',
    build: { maxRecords: 100 },
    async run(arena) {
      const [away, other] = arena.some(2)
      if (away === undefined || other === undefined) return
      const back = arena.stop(away, 2500)
      for (let i = 0; i < 400; i += 1) {
        await other.invalidate(`elsewhere-${i}`, true)
        if (i % 20 === 0) await arena.wait(1)
      }
      await back
    },
  },
  {
    name: 'short-budget',
    text: 'Budgets of a second, while an instance stands still and another has lost the store.',
    build: { budgetMs: 1000 },
    async run(arena) {
      const [one, other] = arena.some(2)
      if (one === undefined || other === undefined) return
      arena.part(one)
      await arena.stop(other, arena.between(1, 3) * arena.blindAfterMs)
      await arena.wait(1500)
    },
  },
]
