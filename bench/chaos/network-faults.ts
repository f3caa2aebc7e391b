/**
 * Scenarios in which the network between instances and the store falls ill.
 */
import { whyNoNamespaces } from './namespace.ts'
import type { Scenario } from './scenario.ts'
import { waitedMs } from './strain.ts'

const BLIND = 'forecache_cache_blind_seconds_total'
/** Besides what the kernel says that they waited for a core: a connection is thrown away when the way turns slow all at once, and comes back. */
const MOST_BLIND = 0.25

/** See the module's header. */
export const NETWORK_FAULTS: readonly Scenario[] = [
  ...(['budget', 'miss'] as const).map(
    (blind): Scenario => ({
      name: `partition-one-${blind}`,
      text: `One instance cannot reach the store; \`blind: ${blind}\`.`,
      build: { blind, door: blind === 'miss' ? 'library' : 'gateway' },
      async run(arena) {
        const heal = arena.part(arena.one())
        await arena.wait(arena.between(0.5, 4) * arena.blindAfterMs)
        heal()
      },
    }),
  ),
  {
    name: 'partition-all',
    text: 'No instance can reach the store; they are healed one after another.',
    build: { blind: 'miss' },
    async run(arena) {
      const heals = arena.some(arena.stand.instances.length).map((instance) => arena.part(instance))
      await arena.wait(arena.between(1, 3) * arena.blindAfterMs)
      for (const heal of heals) {
        heal()
        await arena.wait(arena.between(0, 300))
      }
    },
  },
  {
    name: 'partition-flaps',
    text: 'The way of an instance to the store is there and not there, many times a second.',
    build: { blind: 'miss' },
    async run(arena) {
      const one = arena.one()
      for (let i = 0; i < 12; i += 1) {
        const heal = arena.part(one)
        await arena.wait(arena.between(20, 200))
        heal()
        await arena.wait(arena.between(20, 200))
      }
    },
  },
  ...(['there', 'back'] as const).map(
    (way): Scenario => ({
      name: `half-open-${way}`,
      text:
        way === 'there'
          ? 'What an instance asks is lost, its connections stand.'
          : 'What the store answers is lost, connections stand.',
      build: { blind: 'miss', door: way === 'there' ? 'library' : 'gateway' },
      async run(arena) {
        const heal = arena.hold(arena.one(), { way })
        await arena.wait(arena.between(0.5, 3) * arena.blindAfterMs)
        heal()
      },
    }),
  ),
  {
    name: 'bus-held',
    text: 'The bus of an instance is silent while its other connections to the store live.',
    build: { blind: 'miss' },
    async run(arena) {
      const heal = arena.hold(arena.one(), { lane: 'bus', isHarmless: true })
      await arena.wait(arena.between(1, 5) * arena.blindAfterMs)
      heal()
    },
  },
  {
    name: 'bus-held-budget',
    text: 'The same where a blind instance may serve: it is not blind, for it proves by its other connections.',
    build: { door: 'library' },
    async run(arena) {
      const heal = arena.hold(arena.one(), { lane: 'bus', isHarmless: true })
      await arena.wait(arena.between(1, 5) * arena.blindAfterMs)
      heal()
    },
  },
  {
    name: 'bus-cut',
    text: 'The bus of every instance is cut again and again.',
    build: { blind: 'miss' },
    async run(arena) {
      for (let i = 0; i < 15; i += 1) {
        arena.cut(arena.one(), 'bus')
        await arena.wait(arena.between(20, 200))
      }
    },
  },
  {
    name: 'store-held',
    text: 'The bus of an instance lives while its other connections to the store are silent.',
    build: { blind: 'miss' },
    async run(arena) {
      const heal = arena.hold(arena.one(), { lane: 'store' })
      await arena.wait(arena.between(1, 5) * arena.blindAfterMs)
      heal()
    },
  },
  {
    name: 'delay',
    text: 'Bytes of one instance take 20 to 60 ms each way.',
    async run(arena) {
      const heal = arena.hold(arena.one(), { delayMs: () => arena.between(20, 60) })
      await arena.wait(2000)
      heal()
    },
  },
  ...([0.35, 0.5] as const).map(
    (share): Scenario => ({
      name: `slow-way-${share * 100}`,
      text: `Each answer of the store takes ${share * 100} % of the time that silence is trusted: the instance is not blind for it.`,
      build: { blind: 'miss', blindAfterMs: 800, l2: { deadline: 700 } },
      async run(arena) {
        const one = arena.one()
        const delayMs = (share * arena.blindAfterMs) / 2
        const heal = arena.hold(one, { delayMs: () => delayMs, isHarmless: true })
        await arena.wait(arena.blindAfterMs)
        const waited = (): number => [one.pid, arena.stand.redis.pid, process.pid].reduce((sum, pid) => sum + waitedMs(pid), 0)
        const [blindBefore, waitedBefore, from] = [await one.metric(BLIND), waited(), performance.now()]
        await arena.wait(3000)
        const blindMs = ((await one.metric(BLIND)) - blindBefore) * 1000
        const [starvedMs, passedMs] = [waited() - waitedBefore, performance.now() - from]
        heal()
        const text = `${one.name} was blind for ${Math.round(blindMs)} of ${Math.round(passedMs)} ms, ${Math.round(starvedMs)} without a core`
        arena.say(text)
        if (blindMs - starvedMs > passedMs * MOST_BLIND) arena.findings.push({ promise: 'SIGHT', text, node: one.name })
      },
    }),
  ),
  {
    name: 'reorder',
    text: 'What is said on one connection is overtaken by what is said later on another.',
    build: { blind: 'miss', door: 'library' },
    async run(arena) {
      for (let i = 0; i < 4; i += 1) {
        const [one, other] = arena.some(2)
        if (one === undefined || other === undefined) return
        const heals = [
          arena.hold(one, { lane: 'bus', delayMs: () => arena.between(50, 200) }),
          arena.hold(other, { lane: 'store', delayMs: () => arena.between(20, 120) }),
        ]
        await arena.wait(arena.between(200, 600))
        for (const heal of heals) heal()
      }
    },
  },
  {
    name: 'loss',
    text: 'Segments are lost: any direction of any connection pauses for a retransmission.',
    build: { blind: 'miss' },
    async run(arena) {
      for (let i = 0; i < 12; i += 1) {
        const way = arena.random() < 0.5 ? 'there' : 'back'
        const heal = arena.hold(arena.one(), { lane: arena.random() < 0.5 ? 'bus' : 'store', way })
        await arena.wait(arena.between(40, 350))
        heal()
      }
    },
  },
  {
    name: 'duplicate',
    text: 'The store takes what is appended, its answer is lost, and it is appended again.',
    build: { blind: 'miss' },
    async run(arena) {
      for (let i = 0; i < 8; i += 1) {
        const one = arena.one()
        const heal = arena.hold(one, { lane: 'store', way: 'back' })
        await arena.wait(arena.between(20, 150))
        arena.cut(one, 'store')
        heal()
        await arena.wait(arena.between(0, 200))
      }
    },
  },
  {
    name: 'resets',
    text: 'All connections of an instance are reset every 50 ms.',
    build: { door: 'library' },
    async run(arena) {
      const one = arena.one()
      for (let i = 0; i < 30; i += 1) {
        arena.cut(one)
        await arena.wait(50)
      }
    },
  },
  ...(['budget', 'miss'] as const).map(
    (blind): Scenario => ({
      name: `link-pulled-${blind}`,
      text: `The link of an instance in a network namespace is pulled out: packets vanish, connections stand; \`blind: ${blind}\`.`,
      build: { blind, isApart: true, door: blind === 'miss' ? 'library' : 'gateway' },
      skip: whyNoNamespaces,
      async run(arena) {
        const { namespace, instances } = arena.stand
        const end = arena.ill(instances[0])
        arena.say('link of n0 pulled')
        namespace.pull()
        arena.onEnd(() => namespace.plug())
        await arena.wait(arena.between(0.5, 4) * arena.blindAfterMs)
        namespace.plug()
        arena.say('link of n0 plugged')
        end()
      },
    }),
  ),
  {
    name: 'storm',
    text: 'Everything at once: instances stop and are killed, ways are cut, the store stands still.',
    build: { blind: 'miss' },
    async run(arena) {
      const [one, other, third] = arena.some(3)
      if (one === undefined || other === undefined || third === undefined) return
      const heal = arena.part(one)
      await Promise.all([arena.stop(other, arena.between(0.5, 3) * arena.blindAfterMs), arena.kill(third, 100)])
      const thaw = arena.freeze()
      heal()
      await arena.wait(arena.between(0.5, 2) * arena.blindAfterMs)
      thaw()
      arena.cut(third)
    },
  },
]
