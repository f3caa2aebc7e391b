/**
 * GET and SET in their plain forms, from bytes to bytes.
 *
 * Floor 4, room resp. No string and no object is made: a value is copied from the request into the table and from the table
 * into the reply. Whatever is not plain is left to the general way, which gives the same answers.
 */
import { NOT_PLAIN } from '../keyspace/database.ts'
import { NONE } from '../shelf/byte-table.ts'
import type { Server } from './embedded-server.ts'
import type { Session } from './embedded-session.ts'
import type { FramedCommand, ReplySink } from './executor.ts'

const CR = 13
const LF = 10
const DOLLAR = 36
const LOWER = 0x20
const GET = 0x67_65_74
const SET = 0x73_65_74

/** Nothing of the connection's state or of the server's changes what GET and SET do. */
export function isPlain(server: Server, session: Session): boolean {
  return (
    session.queued === undefined &&
    session.isAuthenticated &&
    session.replies === 'on' &&
    !session.isSubscriber &&
    server.monitors.size === 0 &&
    !server.tracking.isUsed
  )
}

/** @returns whether it was answered */
export function runFast(
  server: Server,
  session: Session,
  { command, out }: { readonly command: FramedCommand; readonly out: ReplySink },
): boolean {
  const { bytes, count, starts, ends } = command
  const at = starts[0] as number
  if ((ends[0] as number) - at !== 3 || (count !== 2 && count !== 3)) return false
  const name = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number) | LOWER_3
  if (name === GET && count === 2) return get(server, session, { command, out })
  if (name === SET && count === 3) return set(server, session, { command, out })
  return false
}

const LOWER_3 = (LOWER << 16) | (LOWER << 8) | LOWER

function get(
  server: Server,
  session: Session,
  { command, out }: { readonly command: FramedCommand; readonly out: ReplySink },
): boolean {
  const { db } = session
  const { table, stats } = server.space
  table.key.set(command.bytes, command.starts[1] as number, command.ends[1] as number)
  table.key.space = db.space
  const slot = db.askedText()
  if (slot === NOT_PLAIN) return false
  server.stats.commands += 1
  if (slot === NONE) {
    stats.misses += 1
    out.text(session.version === 3 ? '_\r\n' : '$-1\r\n')
    return true
  }
  stats.hits += 1
  db.touch(slot)
  const value = table.bytes.value(slot)
  out.put(value.bytes, value.start, value.end)
  return true
}

function set(
  server: Server,
  session: Session,
  { command, out }: { readonly command: FramedCommand; readonly out: ReplySink },
): boolean {
  const { bytes, starts, ends } = command
  const { space } = server
  if (!space.watches.isEmpty || space.onEvent !== undefined) return false
  const head = (ends[1] as number) + 2
  const start = starts[2] as number
  const end = ends[2] as number
  if (bytes[head] !== DOLLAR || start - head !== digitsOf(end - start) + 3) return false
  if (bytes[end] !== CR || bytes[end + 1] !== LF) return false
  space.table.key.set(bytes, starts[1] as number, ends[1] as number)
  space.table.key.space = session.db.space
  if (!session.db.putAsked(bytes, head, end + 2)) return false
  server.stats.commands += 1
  out.text('+OK\r\n')
  return true
}

function digitsOf(value: number): number {
  let digits = 1
  for (let bound = 10; bound <= value; bound *= 10) digits += 1
  return digits
}
