/**
 * Scenarios in which the store falls ill.
 */
import { spawn, spawnSync } from 'node:child_process'
import type { Arena } from './arena.ts'
import type { Scenario } from './scenario.ts'
import { createPatience } from './strain.ts'

const OFTEN = ['--appendonly', 'yes', '--appendfsync', 'always']
const SMALL = ['--maxmemory', '3mb']
const SENTINELS_MS = 60_000

/** See the module's header. */
export const STORE_FAULTS: readonly Scenario[] = [
  {
    name: 'store-freezes-briefly',
    text: 'The store stands still for less than silence is trusted, again and again.',
    async run(arena) {
      for (let i = 0; i < 4; i += 1) {
        const thaw = arena.freeze()
        await arena.wait(arena.between(0.1, 0.9) * arena.blindAfterMs)
        thaw()
        await arena.wait(arena.between(0, 300))
      }
    },
  },
  ...(['budget', 'miss', 'fail'] as const).map(
    (blind): Scenario => ({
      name: `store-freezes-${blind}`,
      text: `The store stands still for long; \`blind: ${blind}\`.`,
      build: { blind },
      async run(arena) {
        const thaw = arena.freeze()
        await arena.wait(arena.between(2, 5) * arena.blindAfterMs)
        thaw()
      },
    }),
  ),
  {
    name: 'store-and-instance-freeze',
    text: 'The store and an instance stand still, and go on in any order.',
    build: { door: 'library', blind: 'miss' },
    async run(arena) {
      const thaw = arena.freeze()
      const storeMs = arena.between(1, 3) * arena.blindAfterMs
      await Promise.all([arena.stop(arena.one(), arena.between(1, 3) * arena.blindAfterMs), arena.wait(storeMs).then(thaw)])
    },
  },
  {
    name: 'store-restarts-empty',
    text: 'kill -9 of the store, which comes back without data.',
    build: { blind: 'miss' },
    run: (arena) => arena.restart({ withData: false, ms: arena.between(0, 600) }),
  },
  {
    name: 'store-restarts-older',
    text: 'kill -9 of the store, which comes back with a snapshot from before.',
    build: { door: 'library' },
    async run(arena) {
      await arena.stand.redis.command('SAVE')
      arena.say('SAVE')
      await arena.wait(arena.between(100, 600))
      await arena.restart({ withData: true, ms: arena.between(0, 600) })
    },
  },
  {
    name: 'store-restarts-whole',
    text: 'kill -9 of the store, which comes back with everything.',
    build: { redisArgs: OFTEN, blind: 'miss' },
    run: (arena) => arena.restart({ withData: true, ms: arena.between(0, 600) }),
  },
  {
    name: 'store-restarts-twice',
    text: 'kill -9 of the store twice, once with and once without data.',
    build: { redisArgs: OFTEN },
    async run(arena) {
      await arena.restart({ withData: arena.random() < 0.5, ms: arena.between(0, 200) })
      await arena.wait(arena.between(0, 300))
      await arena.restart({ withData: arena.random() < 0.5, ms: arena.between(0, 200) })
    },
  },
  {
    name: 'store-emptied',
    text: 'FLUSHALL under load: no connection ends, and everything is gone.',
    build: { blind: 'miss' },
    async run(arena) {
      for (let i = 0; i < 4; i += 1) {
        arena.say('FLUSHALL')
        arena.ill()()
        await arena.stand.redis.command('FLUSHALL')
        await arena.wait(arena.between(50, 500))
      }
    },
  },
  {
    name: 'scripts-and-clients-dropped',
    text: 'SCRIPT FLUSH and CLIENT KILL under load.',
    async run(arena) {
      for (let i = 0; i < 6; i += 1) {
        arena.say('SCRIPT FLUSH, CLIENT KILL')
        arena.ill()()
        await arena.stand.redis.command('SCRIPT', 'FLUSH')
        await arena.stand.redis.command('CLIENT', 'KILL', 'TYPE', 'normal')
        await arena.wait(arena.between(50, 400))
      }
    },
  },
  ...(['allkeys-lru', 'allkeys-random', 'noeviction'] as const).map(
    (policy): Scenario => ({
      name: `memory-full-${policy}`,
      text: `The store's memory is full; \`maxmemory-policy ${policy}\`.`,
      build: { redisArgs: [...SMALL, '--maxmemory-policy', policy], door: policy === 'allkeys-random' ? 'library' : 'gateway' },
      run: (arena) => fill(arena),
    }),
  ),
  {
    name: 'members-evicted',
    text: 'A full store evicts the list of members again and again, while the bus of an instance is slow.',
    build: { blind: 'miss', door: 'library' },
    async run(arena) {
      const heal = arena.hold(arena.one(), { lane: 'bus', delayMs: () => arena.between(50, 200), isHarmless: true })
      for (let i = 0; i < 40; i += 1) {
        if (i % 10 === 0) arena.say('members evicted, ten times')
        await arena.stand.redis.command('UNLINK', '{forecache:log}:members')
        await arena.wait(50)
      }
      heal()
    },
  },
  {
    name: 'slow-disk',
    text: 'Each sync of the log file of the store (`appendfsync always`) takes 250 ms.',
    build: { redisArgs: OFTEN },
    skip: () => (spawnSync('strace', ['-V']).status === 0 ? undefined : 'needs strace, to delay the system call'),
    async run(arena) {
      arena.say('fdatasync of the store takes 250 ms')
      const end = arena.ill()
      const calls = ['-e', 'trace=fdatasync,fsync', '-e', 'inject=fdatasync,fsync:delay_enter=250000']
      const tracer = spawn('strace', ['-f', '-qq', ...calls, '-p', String(arena.stand.redis.pid)], { stdio: 'ignore' })
      await arena.wait(arena.between(1500, 3000))
      const over = new Promise((resolve) => tracer.once('exit', resolve))
      tracer.kill('SIGINT')
      await over
      arena.say('the disk is fast again')
      end()
    },
  },
  {
    name: 'failover',
    text: 'kill -9 of a master; Sentinels promote its replica.',
    build: { store: 'sentinel' },
    run: (arena) => failOver(arena, { isLagging: false, isFrozen: false }),
  },
  {
    name: 'failover-to-lagging',
    text: 'A replica that has not heard the last invalidations is promoted.',
    build: { store: 'sentinel', door: 'library' },
    run: (arena) => failOver(arena, { isLagging: true, isFrozen: false }),
  },
  {
    name: 'failover-of-frozen',
    text: 'A master stands still, its replica is promoted, and the old master goes on.',
    build: { store: 'sentinel' },
    run: (arena) => failOver(arena, { isLagging: false, isFrozen: true }),
  },
  {
    name: 'cluster-master-restarts',
    text: 'kill -9 of a master of a cluster, which comes back empty of data.',
    build: { store: 'cluster' },
    async run(arena) {
      const servers = arena.stand.servers
      const server = servers[Math.floor(arena.random() * servers.length)]
      if (server !== undefined) await arena.restart({ withData: true, ms: arena.between(0, 400) }, server)
    },
  },
  {
    name: 'cluster-master-freezes',
    text: 'A master of a cluster stands still.',
    build: { store: 'cluster', door: 'library' },
    async run(arena) {
      const servers = arena.stand.servers
      const server = servers[Math.floor(arena.random() * servers.length)]
      const thaw = arena.freeze(server === undefined ? [] : [server])
      await arena.wait(arena.between(1, 4) * arena.blindAfterMs)
      thaw()
    },
  },
]

/** Writes more than there is room for, until it is told to stop. */
async function fill(arena: Arena): Promise<void> {
  arena.say('more is written than there is room for')
  const end = arena.ill()
  const junk = Buffer.alloc(20_000, 'x')
  const endAt = performance.now() + 2000
  for (let i = 0; performance.now() < endAt; i += 1) {
    const pairs = Array.from({ length: 20 }, (_, j) => [`junk-${i}-${j}`, junk]).flat()
    await arena.stand.redis.command('MSET', ...pairs).catch(() => undefined) // refused where nothing may be evicted
    await arena.wait(5)
  }
  const { redis } = arena.stand
  const names = (await redis.command('KEYS', 'junk-*')) as readonly Buffer[]
  if (names.length > 0) await redis.command('UNLINK', ...names)
  arena.say('there is room again')
  end()
}

async function failOver(arena: Arena, { isLagging, isFrozen }: { isLagging: boolean; isFrozen: boolean }): Promise<void> {
  const { stand } = arena
  const master = await stand.sentinels.master()
  const replica = stand.servers.find((server) => server !== master)
  if (replica === undefined) throw new Error('one master and one replica')
  if (isLagging) {
    arena.say('the replica hears nothing more')
    await master.command('CONFIG', 'SET', 'repl-timeout', '600')
    await master.command('CLIENT', 'PAUSE', '1', 'WRITE')
    replica.freeze()
    await arena.wait(arena.between(150, 350)) // less than Sentinels need to think it dead
  }
  const end = arena.ill()
  if (isFrozen) master.freeze()
  else await master.kill()
  if (isLagging) replica.thaw()
  arena.say(`${isFrozen ? 'SIGSTOP' : 'kill -9'} the master ${master.port}`)
  const isOver = patience(arena)
  while ((await stand.sentinels.master().catch(() => master)) === master) {
    if (isOver()) throw new Error('no Sentinel has failed over')
    await arena.wait(20)
  }
  arena.say(`${replica.port} is master`)
  if (isFrozen) master.thaw()
  else await master.restart({ withData: true })
  await untilReplica(arena, master)
  end()
}

/** A Sentinel whose own clock has jumped, for want of a core, does nothing for 30 s. */
function patience({ stand }: Arena): () => boolean {
  return createPatience(SENTINELS_MS, () => [...stand.processes, ...stand.sentinels.sentinels].map(({ pid }) => pid))
}

/** The former master has become a replica: only then can the next run fail over. */
async function untilReplica(arena: Arena, server: Arena['stand']['redis']): Promise<void> {
  const isOver = patience(arena)
  for (;;) {
    const said = String(await server.command('INFO', 'replication').catch(() => ''))
    if (said.includes('role:slave') && said.includes('master_link_status:up')) return
    if (isOver()) throw new Error('the former master has not become a replica')
    await arena.wait(50)
  }
}
