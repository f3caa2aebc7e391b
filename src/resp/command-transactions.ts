/**
 * MULTI, EXEC, DISCARD, WATCH and UNWATCH.
 *
 * Floor 4, room resp. Queueing and its errors: embedded-run.ts.
 */
import type { Call, Handler } from './embedded-call.ts'
import { REFUSED, refuse } from './embedded-errors.ts'
import { discard } from './embedded-run.ts'

function multi(call: Call): void {
  if (call.session.isQueueing) throw refuse('MULTI calls can not be nested')
  call.session.queued = []
  call.out.ok()
}

function exec(call: Call): void {
  const { session, server, out } = call
  const { queued } = session
  if (queued === undefined) throw refuse('EXEC without MULTI')
  const isLate = session.watched.some(
    ({ wasExpired, database, key }) => !wasExpired && server.space.databases[database]?.isExpired(key) === true,
  )
  const isBroken = session.isDirty || isLate
  const isSpoiled = session.isSpoiled
  discard(server, session)
  if (isSpoiled) throw REFUSED.execAbort
  if (isBroken) return void out.nullArray()
  session.mayNotWait = true
  session.isInExec = true
  out.array(queued.length)
  for (const args of queued) server.runner?.execute(session, args, out)
  session.mayNotWait = false
  session.isInExec = false
}

function watch(call: Call): void {
  const { session, space, db } = call
  if (session.isQueueing) throw refuse('WATCH inside MULTI is not allowed')
  for (let i = 1; i < call.count && !session.isDirty; i += 1) {
    const key = call.arg(i)
    space.watches.watch({ database: db.number, key, watcher: session, wasExpired: db.isExpired(key) })
  }
  call.out.ok()
}

export const TRANSACTION_COMMANDS: Readonly<Record<string, Handler>> = {
  discard: (call) => {
    if (!call.session.isQueueing) throw refuse('DISCARD without MULTI')
    discard(call.server, call.session)
    call.out.ok()
  },
  exec,
  multi,
  unwatch: (call) => {
    call.space.watches.unwatchAll(call.session)
    call.session.isDirty = false
    call.out.ok()
  },
  watch,
}
