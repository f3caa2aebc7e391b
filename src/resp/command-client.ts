/**
 * CLIENT: connections, named, listed, silenced, woken and ended.
 *
 * Floor 4, room resp. What Redis offers for replication and pausing is unknown here.
 */
import { isInteger64 } from '../keyspace/integer.ts'
import { TRACKING_COMMANDS } from './command-client-tracking.ts'
import { setName } from './command-connection.ts'
import type { Call, Handler } from './embedded-call.ts'
import { REFUSED, refuse } from './embedded-errors.ts'
import { help } from './embedded-help.ts'
import type { Server } from './embedded-server.ts'
import type { Session } from './embedded-session.ts'

function describe(server: Server, session: Session): string {
  const { peer } = session
  const now = server.clock.now()
  const flags = `${session.isMonitor ? 'O' : ''}${session.isSubscriber ? 'P' : ''}${session.isQueueing ? 'x' : ''}${session.parked === undefined ? '' : 'b'}${session.tracking === undefined ? '' : 't'}${session.tracking?.isBroadcast === true ? 'B' : ''}${session.isDirty ? 'd' : ''}${session.noEvict ? 'e' : ''}`
  const row: Readonly<Record<string, string | number>> = {
    id: peer.id,
    addr: peer.address,
    laddr: peer.localAddress,
    fd: peer.id,
    name: session.name,
    age: Math.max(0, Math.floor((now - peer.since) / 1000)),
    idle: Math.max(0, Math.floor((now - session.usedAt) / 1000)),
    flags: flags === '' ? 'N' : flags,
    db: session.db.number,
    sub: session.channels.size,
    psub: session.patterns.size,
    ssub: session.shardChannels.size,
    multi: session.queued?.length ?? -1,
    qbuf: 0,
    'qbuf-free': 0,
    'argv-mem': 0,
    'multi-mem': 0,
    rbs: 1024,
    rbp: 0,
    obl: 0,
    oll: 0,
    omem: peer.outputBytes,
    'tot-mem': peer.outputBytes,
    events: 'r',
    cmd: session.lastCommand === '' ? 'NULL' : session.lastCommand,
    user: session.user,
    redir: session.tracking?.redirect ?? -1,
    resp: session.version,
  }
  return Object.entries(row)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')
}

const TYPES = ['normal', 'slave', 'replica', 'pubsub', 'master']

function typeOf(session: Session): string {
  return session.isSubscriber ? 'pubsub' : 'normal'
}

function checkType(text: string): string {
  const type = text.toLowerCase()
  if (!TYPES.includes(type)) throw refuse(`Unknown client type '${text}'`)
  return type
}

function list(call: Call): void {
  const { sessions } = call.server
  let shown = [...sessions.values()]
  if (call.count === 4 && call.is(2, 'type')) {
    const type = checkType(call.arg(3))
    shown = shown.filter((session) => typeOf(session) === type)
  } else if (call.count > 3 && call.is(2, 'id')) {
    shown = call.args.slice(3).flatMap((id) => {
      if (!isInteger64(id)) throw refuse('Invalid client ID')
      return sessions.get(Number(id)) ?? []
    })
  } else if (call.count !== 2) throw REFUSED.syntax
  call.out.plain(shown.map((session) => `${describe(call.server, session)}\n`).join(''))
}

interface KillWish {
  readonly matches: readonly ((session: Session) => boolean)[]
  readonly skipsMe: boolean
  readonly isOld: boolean
}

function readKill(call: Call): KillWish {
  const matches: ((session: Session) => boolean)[] = []
  if (call.count === 3) {
    matches.push(({ peer }) => peer.address === call.arg(2))
    return { matches, skipsMe: false, isOld: true }
  }
  let skipsMe = true
  for (let i = 2; i < call.count; i += 2) {
    if (i + 1 >= call.count) throw REFUSED.syntax
    const value = call.arg(i + 1)
    if (call.is(i, 'skipme')) {
      if (!call.is(i + 1, 'yes') && !call.is(i + 1, 'no')) throw REFUSED.syntax
      skipsMe = call.is(i + 1, 'yes')
    } else matches.push(killRule(call.arg(i).toLowerCase(), value))
  }
  return { matches, skipsMe, isOld: false }
}

function killRule(option: string, value: string): (session: Session) => boolean {
  switch (option) {
    case 'id':
      if (!isInteger64(value) || Number(value) < 1) throw refuse('client-id should be greater than 0')
      return ({ peer }) => peer.id === Number(value)
    case 'addr':
      return ({ peer }) => peer.address === value
    case 'laddr':
      return ({ peer }) => peer.localAddress === value
    case 'user':
      if (value !== 'default') throw refuse(`No such user '${value}'`)
      return ({ user }) => user === value
    case 'type': {
      const type = checkType(value)
      return (session) => typeOf(session) === type
    }
    default:
      throw REFUSED.syntax
  }
}

function kill(call: Call): void {
  const wish = readKill(call)
  let killed = 0
  for (const session of [...call.server.sessions.values()]) {
    if (!wish.matches.every((matches) => matches(session))) continue
    if (session === call.session) {
      if (wish.skipsMe) continue
      session.isLeaving = true
    } else session.peer.close('now')
    killed += 1
  }
  if (!wish.isOld) return void call.out.integer(killed)
  if (killed === 0) throw refuse('No such client')
  call.out.ok()
}

function reply(call: Call): void {
  const { session, out } = call
  if (call.is(2, 'on')) {
    session.replies = 'on'
    out.ok()
  } else if (call.is(2, 'off')) session.replies = 'off'
  else if (call.is(2, 'skip')) {
    if (session.replies !== 'off') session.replies = 'skip'
  } else throw REFUSED.syntax
}

function unblock(call: Call): void {
  if (call.count > 4) throw REFUSED.syntax
  const isError = call.is(3, 'error')
  if (call.count === 4 && !isError && !call.is(3, 'timeout')) throw refuse('CLIENT UNBLOCK reason should be TIMEOUT or ERROR')
  const session = call.server.sessions.get(call.int(2))
  if (session?.parked === undefined) return void call.out.integer(0)
  if (isError) session.parked.breakOff('UNBLOCKED client unblocked via CLIENT UNBLOCK')
  else session.parked.onTimeout()
  call.out.integer(1)
}

function noEvict(call: Call): void {
  if (!call.is(2, 'on') && !call.is(2, 'off')) throw REFUSED.syntax
  call.session.noEvict = call.is(2, 'on')
  call.out.ok()
}

export const CLIENT_COMMANDS: Readonly<Record<string, Handler>> = {
  ...TRACKING_COMMANDS,
  client: () => undefined,
  'client getname': ({ session, out }) => out.strOrNull(session.name === '' ? undefined : session.name),
  'client help': help,
  'client id': ({ session, out }) => void out.integer(session.peer.id),
  'client info': ({ server, session, out }) => out.plain(`${describe(server, session)}\n`),
  'client kill': kill,
  'client list': list,
  'client no-evict': noEvict,
  'client reply': reply,
  'client setname': (call) => {
    setName(call, call.arg(2))
    call.out.ok()
  },
  'client unblock': unblock,
}
