import { afterAll } from 'vitest'
import { createRandom } from '../../src/model/random.ts'
import { createVirtualClock } from '../../src/model/virtual-clock.ts'
import { createRedis } from '../../src/tier/redis.ts'
import { parseRedisUrl } from '../../src/tier/redis-address.ts'
import { RedisLog } from '../../src/tier/redis-log.ts'
import { JetStreamLog } from '../../src/tier/jetstream-log.ts'
import type { LogStore } from '../../src/tier/log-store.ts'
import { parseNatsUrl } from '../../src/tier/nats-address.ts'
import { createNats } from '../../src/tier/nats-client.ts'
import { SequencedLink } from '../../src/tier/sequenced-link.ts'
import { Sequencer, type ToMember, type ToSequencer } from '../../src/tier/sequencer.ts'
import { StreamLink } from '../../src/tier/stream-link.ts'
import { systemClock } from '../../src/model/clock.ts'
import { startCluster, startRedis } from '../support/redis-here.ts'
import { type NatsHere, startNats, startNatsCluster } from '../support/nats-here.ts'
import { LogGate } from '../support/log-gate.ts'
import { VirtualLog, VirtualLogStore } from '../support/virtual-log.ts'
import { type LinkStand, Member, testLink } from './link.ts'

const BLIND_AFTER_MS = 400
const ACK_MS = BLIND_AFTER_MS * 1.25
/** Of real servers: this machine may stand still for a while. */
const REAL_BLIND_MS = 1000

/** A channel that can be stopped and loses nothing. */
class Channel {
  isStopped = false
  #queue: (() => void)[] = []

  send(arrive: () => void): void {
    if (this.isStopped) this.#queue.push(arrive)
    else arrive()
  }

  resume(): void {
    this.isStopped = false
    for (const arrive of this.#queue.splice(0)) arrive()
  }
}

async function openSequenced(): Promise<LinkStand> {
  const clock = createVirtualClock()
  const channels = new Map<Member, Channel>()
  let next = 1
  const sequencer = new Sequencer({ clock, generation: 'g', ackMs: ACK_MS, onSilent: () => {} })
  const pulse = (): void => {
    sequencer.beat()
    clock.after(BLIND_AFTER_MS / 4, pulse)
  }
  pulse()
  const join = async (): Promise<Member> => {
    const id = `m${next}`
    next += 1
    const channel = new Channel()
    const sequence = sequencer.join(id, (message: ToMember) => channel.send(() => link.receive(message)))
    const tell = (message: ToSequencer): void => channel.send(() => sequencer.receive(id, message))
    const link = new SequencedLink({ clock, generation: 'g', sequence, blindAfterMs: BLIND_AFTER_MS, tell })
    const member = new Member(link)
    channels.set(member, channel)
    return member
  }
  const until = async (condition: () => boolean): Promise<void> => {
    for (let i = 0; i < 500 && !condition(); i += 1) await clock.advanceAsync(10)
  }
  return {
    blindAfterMs: BLIND_AFTER_MS,
    isReal: false,
    join,
    until,
    wait: (ms) => clock.advanceAsync(ms),
    silence: (member) => ((channels.get(member) as Channel).isStopped = true),
    mend: (member) => (channels.get(member) as Channel).resume(),
    close: async () => {},
  }
}

async function openVirtual(): Promise<LinkStand> {
  const clock = createVirtualClock()
  const log = new VirtualLog(clock)
  const cut = new Set<string>()
  const random = createRandom(7)
  const names = new Map<Member, string>()
  let next = 1
  const until = async (condition: () => boolean): Promise<void> => {
    for (let i = 0; i < 500 && !condition(); i += 1) await clock.advanceAsync(10)
  }
  return {
    blindAfterMs: BLIND_AFTER_MS,
    isReal: false,
    until,
    async join() {
      const name = `m${next}`
      next += 1
      const net = { delay: () => random() * 8, isCut: () => cut.has(name) }
      const store = new VirtualLogStore(log, { member: name, net, clock })
      const member = new Member(new StreamLink({ clock, store, blindAfterMs: BLIND_AFTER_MS, ackMs: ACK_MS }))
      names.set(member, name)
      await until(() => !member.isBlind)
      return member
    },
    wait: (ms) => clock.advanceAsync(ms),
    silence: (member) => void cut.add(names.get(member) as string),
    mend: (member) => void cut.delete(names.get(member) as string),
    lose: async () => log.empty(),
    trim: async (keep) => log.trim(keep),
    close: async () => {},
  }
}

/** A log that stands in a real server. */
interface RealLog {
  /** A member's own end, with what it was opened with. */
  open(): { readonly store: LogStore; close(): void }
  lose(): Promise<void>
  trim(keep: number): Promise<void>
  close(): void
}

const STORE = { memberTtlMs: REAL_BLIND_MS * 1.25, maxRecords: 10_000 }
const PREFIX = 'fc-test'

/** Started once; its log lives on, so that its list of members is sure. */
function servers<S extends { stop(): Promise<void> }>(
  start: () => Promise<S>,
  open: (server: S) => Promise<RealLog>,
): readonly [open: () => Promise<LinkStand>, start: () => Promise<S>] {
  let server: Promise<S> | undefined
  const started = (): Promise<S> => (server ??= start())
  afterAll(async () => (await server)?.stop())
  return [async () => openReal(await open(await started())), started]
}

/** Real servers; a silent member is one whose port answers nothing. */
function openReal(log: RealLog): LinkStand {
  const clock = systemClock()
  const members: { link: StreamLink; member: Member; gate: LogGate; close(): void }[] = []
  const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
  const until = async (condition: () => boolean): Promise<void> => {
    const endAt = performance.now() + 8000
    while (!condition() && performance.now() < endAt) await wait(2)
  }
  const gateOf = (member: Member): LogGate => (members.find((one) => one.member === member) as { gate: LogGate }).gate
  return {
    blindAfterMs: REAL_BLIND_MS,
    isReal: true,
    until,
    wait,
    async join() {
      const { store, close } = log.open()
      const gate = new LogGate(store)
      const link = new StreamLink({ clock, store: gate, blindAfterMs: REAL_BLIND_MS, ackMs: REAL_BLIND_MS * 1.25 })
      const member = new Member(link)
      members.push({ link, member, gate, close })
      await until(() => !member.isBlind)
      member.forget()
      return member
    },
    silence: (member) => (gateOf(member).isShut = true),
    mend: (member) => (gateOf(member).isShut = false),
    lose: () => log.lose(),
    trim: (keep) => log.trim(keep),
    async close() {
      for (const { gate } of members) gate.isShut = false
      await Promise.all(members.map(({ link }) => link.close(200)))
      for (const { close } of members) close()
      log.close()
    },
  }
}

async function inRedis({ url }: { readonly url: string }): Promise<RealLog> {
  const parts = { target: parseRedisUrl(url), clock: systemClock(), random: Math.random }
  const log = `{${PREFIX}log}:records`
  const admin = createRedis(parts)
  const command = async (...words: string[]): Promise<void> => void (await admin.call(words, { key: log, deadlineMs: 1000 }))
  await admin.ready(5000)
  return {
    open: () => {
      const redis = createRedis(parts)
      return { store: new RedisLog({ ...STORE, redis, prefix: PREFIX }), close: () => redis.close() }
    },
    lose: () => command('DEL', log, `{${PREFIX}log}:meta`),
    trim: (keep) => command('XTRIM', log, 'MAXLEN', String(keep)),
    close: () => admin.close(),
  }
}

type Stand = Pick<NatsHere, 'url' | 'purge' | 'drop' | 'trim'>

async function inJetStream(server: Stand, lose: (server: Stand) => Promise<void>): Promise<RealLog> {
  const parts = { target: parseNatsUrl(server.url), tls: {}, clock: systemClock(), random: Math.random }
  return {
    open: () => {
      const nats = createNats(parts)
      return { store: new JetStreamLog({ ...STORE, nats, clock: parts.clock, prefix: PREFIX }), close: () => nats.close() }
    },
    lose: () => lose(server),
    trim: (keep) => server.trim(PREFIX, keep),
    close: () => {},
  }
}

testLink('the sequencer of one machine', openSequenced)
testLink('a log between machines, in virtual time', openVirtual)
testLink('a Redis stream', ...servers(startRedis, inRedis))
testLink('a stream in a Redis cluster', ...servers(startCluster, inRedis))
testLink('a NATS JetStream that is purged', ...servers(startNats, (server) => inJetStream(server, (at) => at.purge(PREFIX))))
testLink('a NATS JetStream that is thrown away', ...servers(startNats, (server) => inJetStream(server, (at) => at.drop(PREFIX))))
testLink('one server of a NATS cluster', ...servers(startNatsCluster, (cluster) => inJetStream(cluster, (at) => at.drop(PREFIX))))
