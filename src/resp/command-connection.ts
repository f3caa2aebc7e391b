/**
 * Commands about the connection itself: who speaks, in which version, with which database.
 *
 * Floor 4, room resp.
 */
import { timingSafeEqual } from 'node:crypto'
import type { Call, Handler } from './embedded-call.ts'
import { REFUSED, refuse, refuseAs, untilZero, wrongCount } from './embedded-errors.ts'
import { isInteger64 } from '../keyspace/integer.ts'
import { leaveChannels } from './embedded-publish.ts'
import { discard } from './embedded-run.ts'

export const SERVED_VERSION = '7.0.15'
const WRONG_PASS = 'WRONGPASS invalid username-password pair or user is disabled.'
const NAME = /^[!-~]*$/

/** Whether a user may come in; remembers the answer for those who watch for guessing. */
function login(call: Call, user: string, password: string): boolean {
  const wanted = call.server.settings.get('requirepass')
  const isKnown = user === 'default' && (wanted === '' || isSame(wanted, password))
  call.session.peer.login(isKnown)
  if (isKnown) call.session.isAuthenticated = true
  return isKnown
}

function isSame(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1')]
  if (one.length !== other.length) {
    timingSafeEqual(one, one)
    return false
  }
  return timingSafeEqual(one, other)
}

function auth(call: Call): void {
  if (call.count > 3) throw REFUSED.syntax
  if (call.count === 2 && call.server.settings.get('requirepass') === '') {
    throw refuse(
      'AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
    )
  }
  const [user, password] = call.count === 2 ? ['default', call.arg(1)] : [call.arg(1), call.arg(2)]
  if (!login(call, user as string, password as string)) throw refuseAs(WRONG_PASS)
  call.out.ok()
}

function hello(call: Call): void {
  const { session, out } = call
  const wanted = call.count >= 2 ? versionOf(call.arg(1)) : 0
  for (let i = 2; i < call.count; i += 1) {
    const left = call.count - 1 - i
    if (call.is(i, 'auth') && left >= 2) {
      if (!login(call, call.arg(i + 1), call.arg(i + 2))) throw refuseAs(WRONG_PASS)
      i += 2
    } else if (call.is(i, 'setname') && left >= 1) {
      setName(call, call.arg(i + 1))
      i += 1
    } else {
      throw refuse(`Syntax error in HELLO option '${untilZero(call.arg(i))}'`)
    }
  }
  if (!session.isAuthenticated) {
    throw refuseAs(
      'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
    )
  }
  if (wanted !== 0) session.version = wanted
  out.version = session.version === 3 ? 3 : 2
  out.map(7)
  for (const text of ['server', 'redis', 'version', SERVED_VERSION, 'proto']) out.str(text)
  out.integer(session.version)
  out.str('id')
  out.integer(session.peer.id)
  for (const text of ['mode', 'standalone', 'role', 'master', 'modules']) out.str(text)
  out.array(0)
}

function versionOf(text: string): number {
  if (!isInteger64(text)) throw refuse('Protocol version is not an integer or out of range')
  if (text !== '2' && text !== '3') throw refuseAs('NOPROTO unsupported protocol version')
  return Number(text)
}

/** @throws where the name has other than printable characters */
export function setName(call: Call, name: string): void {
  if (!NAME.test(name)) throw refuse('Client names cannot contain spaces, newlines or special characters.')
  call.session.name = name
}

const MAX_INT = 2 ** 31 - 1
const RANGE = 'value is out of range, value must between -2147483648 and 2147483647'

/** A database by its number. @throws where there is none @param wrong instead of the text about integers */
export function databaseOf(call: Call, i: number, wrong?: string): (typeof call)['db'] {
  if (!isInteger64(call.arg(i))) throw wrong === undefined ? REFUSED.notInteger : refuse(wrong)
  const number = Number(call.arg(i))
  if (number > MAX_INT || number < -MAX_INT - 1) throw refuse(wrong ?? RANGE)
  const db = call.space.databases[number]
  if (db === undefined) throw refuse('DB index is out of range')
  return db
}

function select(call: Call): void {
  call.session.db = databaseOf(call, 1)
  call.out.ok()
}

function ping(call: Call): void {
  if (call.count > 2) throw wrongCount('ping')
  if (call.session.isSubscriber && call.session.version === 2) {
    call.out.strs(['pong', call.args[1] ?? ''])
  } else if (call.count === 1) call.out.text('+PONG\r\n')
  else call.out.str(call.arg(1))
}

function reset(call: Call): void {
  const { session, server } = call
  session.isMonitor = false
  server.monitors.delete(session)
  session.db = server.space.databases[0] as typeof session.db
  session.version = 2
  session.user = 'default'
  session.isAuthenticated = server.settings.get('requirepass') === ''
  discard(server, session)
  leaveChannels(server, session)
  session.peer.setClass('normal')
  session.name = ''
  server.tracking.stop(session)
  session.replies = 'on'
  call.out.version = 2
  call.out.simple('RESET')
}

export const CONNECTION_COMMANDS: Readonly<Record<string, Handler>> = {
  auth,
  echo: (call) => call.out.str(call.arg(1)),
  hello,
  ping,
  quit: (call) => {
    call.out.ok()
    call.session.isLeaving = true
  },
  reset,
  select,
}
