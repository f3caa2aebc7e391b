/**
 * Scenarios in which the log stands in a NATS, and what goes wrong is there, in the store, or in both.
 */
import type { Arena } from './arena.ts'
import type { Scenario } from './scenario.ts'

/** Name of the instances' log. */
const PREFIX = 'forecache:'

/** See the module's header. */
export const NATS_FAULTS: readonly Scenario[] = (
  [
    {
      name: 'nats-and-kill',
      text: 'kill -9 of an instance.',
      run: (arena) => arena.kill(arena.one(), arena.between(0, 400)),
    },
    {
      name: 'nats-freezes-briefly',
      text: 'It stands still for less than silence is trusted, again and again.',
      async run(arena) {
        for (let i = 0; i < 4; i += 1) {
          const thaw = arena.freeze([arena.stand.nats])
          await arena.wait(arena.between(0.1, 0.9) * arena.blindAfterMs)
          thaw()
          await arena.wait(arena.between(0, 300))
        }
      },
    },
    ...(['budget', 'miss', 'fail'] as const).map(
      (blind): Scenario => ({
        name: `nats-freezes-${blind}`,
        text: `It stands still for long; \`blind: ${blind}\`.`,
        build: { blind },
        async run(arena) {
          const thaw = arena.freeze([arena.stand.nats])
          await arena.wait(arena.between(2, 5) * arena.blindAfterMs)
          thaw()
        },
      }),
    ),
    {
      name: 'nats-restarts',
      text: 'kill -9, and it comes back, with its disk or without.',
      build: { blind: 'miss' },
      run: (arena) => arena.restart({ withData: arena.random() < 0.5, ms: arena.between(0, 600) }, arena.stand.nats),
    },
    {
      name: 'nats-emptied',
      text: "The log's stream is purged under load, again and again.",
      build: { blind: 'miss', door: 'library' },
      run: (arena) => spoil(arena, 'purge'),
    },
    {
      name: 'nats-robbed',
      text: "The log's stream is deleted under load, again and again.",
      build: { blind: 'miss' },
      run: (arena) => spoil(arena, 'drop'),
    },
    {
      name: 'nats-stays-store-restarts',
      text: 'kill -9 of the store, which comes back with everything, while the log goes on.',
      build: { redisArgs: ['--appendonly', 'yes', '--appendfsync', 'always'] },
      run: (arena) => arena.restart({ withData: true, ms: arena.between(0, 600) }),
    },
    {
      name: 'nats-stays-store-older',
      text: 'kill -9 of the store, which comes back with a snapshot from before, while the log goes on.',
      build: { door: 'library' },
      async run(arena) {
        await arena.stand.redis.command('SAVE')
        arena.say('SAVE')
        await arena.wait(arena.between(100, 600))
        await arena.restart({ withData: true, ms: arena.between(0, 600) })
      },
    },
    {
      name: 'nats-and-instance-freeze',
      text: 'It stands still, and an instance too; they go on in any order.',
      build: { door: 'library', blind: 'miss' },
      async run(arena) {
        const thaw = arena.freeze([arena.stand.nats])
        const frozenMs = arena.between(1, 3) * arena.blindAfterMs
        await Promise.all([arena.stop(arena.one(), arena.between(1, 3) * arena.blindAfterMs), arena.wait(frozenMs).then(thaw)])
      },
    },
  ] satisfies Scenario[]
).map((scenario: Scenario) => ({ ...scenario, build: { ...scenario.build, bus: 'nats' } }))

async function spoil(arena: Arena, how: 'purge' | 'drop'): Promise<void> {
  for (let i = 0; i < 4; i += 1) {
    arena.say(`${how} the stream of the log`)
    arena.ill()()
    await arena.stand.nats[how](PREFIX).catch(() => {}) // it may be between two lives just then
    await arena.wait(arena.between(50, 500))
  }
}
