/**
 * SUBSCRIBE and its like, PUBLISH, PUBSUB.
 *
 * Floor 4, room resp.
 */
import type { Call, Handler } from './embedded-call.ts'
import type { Channels } from './embedded-channels.ts'
import { refuse, wrongSubcommand } from './embedded-errors.ts'
import { help } from './embedded-help.ts'
import { publish, publishToShard } from './embedded-publish.ts'

/** What the three kinds differ in. */
interface Kind {
  readonly prefix: '' | 'p' | 's'
  table(call: Call): Channels
  own(call: Call): Set<string>
  /** What replies count. */
  total(call: Call): number
}

const PLAIN: Kind = {
  prefix: '',
  table: (call) => call.server.channels,
  own: (call) => call.session.channels,
  total: (call) => call.session.subscriptions,
}
const PATTERN: Kind = {
  prefix: 'p',
  table: (call) => call.server.patterns,
  own: (call) => call.session.patterns,
  total: (call) => call.session.subscriptions,
}
const SHARD: Kind = {
  prefix: 's',
  table: (call) => call.server.shardChannels,
  own: (call) => call.session.shardChannels,
  total: (call) => call.session.shardChannels.size,
}

function subscribe(call: Call, kind: Kind): void {
  const isInScript = call.session.mayNotWait && !call.session.isInExec
  if (isInScript || (kind === SHARD && call.session.mayNotWait)) {
    throw refuse(`${call.command.name.toUpperCase()} isn't allowed for a DENY BLOCKING client`)
  }
  for (let i = 1; i < call.count; i += 1) {
    kind.table(call).add(call.arg(i), call.session, kind.own(call))
    tell(call, `${kind.prefix}subscribe`, { name: call.arg(i), total: kind.total(call) })
  }
  call.session.peer.setClass('pubsub')
}

function unsubscribe(call: Call, kind: Kind): void {
  const own = kind.own(call)
  const names = call.count > 1 ? call.args.slice(1) : [...own]
  for (const name of names) {
    kind.table(call).remove(name, call.session, own)
    tell(call, `${kind.prefix}unsubscribe`, { name, total: kind.total(call) })
  }
  if (names.length === 0) tell(call, `${kind.prefix}unsubscribe`, { name: undefined, total: kind.total(call) })
  if (!call.session.isSubscriber) call.session.peer.setClass('normal')
}

function tell({ out }: Call, what: string, { name, total }: { readonly name: string | undefined; readonly total: number }): void {
  out.push(3)
  out.str(what)
  out.strOrNull(name)
  out.integer(total)
}

function countSubscribers(call: Call, table: Channels): void {
  const names = call.args.slice(2)
  call.out.array(names.length * 2)
  for (const name of names) {
    call.out.str(name)
    call.out.integer(table.of(name).size)
  }
}

function listChannels(call: Call, table: Channels): void {
  if (call.count > 3) throw wrongSubcommand(call.arg(1), 'PUBSUB')
  call.out.strs(table.names(call.args[2]))
}

export const PUBSUB_COMMANDS: Readonly<Record<string, Handler>> = {
  psubscribe: (call) => subscribe(call, PATTERN),
  publish: (call) => void call.out.integer(publish(call.server, call.arg(1), call.arg(2))),
  pubsub: () => undefined,
  'pubsub channels': (call) => listChannels(call, call.server.channels),
  'pubsub help': (call) => help(call),
  'pubsub numpat': (call) => void call.out.integer(call.server.patterns.size),
  'pubsub numsub': (call) => countSubscribers(call, call.server.channels),
  'pubsub shardchannels': (call) => listChannels(call, call.server.shardChannels),
  'pubsub shardnumsub': (call) => countSubscribers(call, call.server.shardChannels),
  punsubscribe: (call) => unsubscribe(call, PATTERN),
  spublish: (call) => void call.out.integer(publishToShard(call.server, call.arg(1), call.arg(2))),
  ssubscribe: (call) => subscribe(call, SHARD),
  subscribe: (call) => subscribe(call, PLAIN),
  sunsubscribe: (call) => unsubscribe(call, SHARD),
  unsubscribe: (call) => unsubscribe(call, PLAIN),
}
