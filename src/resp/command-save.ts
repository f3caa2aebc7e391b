/**
 * SAVE, BGSAVE and LASTSAVE.
 *
 * Floor 4, room resp. SAVE's own client waits for it, the others do not.
 */
import type { Call, Handler } from './embedded-call.ts'
import { REFUSED, refuse, refuseAs } from './embedded-errors.ts'
import type { Saver } from './embedded-server.ts'
import type { Parked } from './embedded-session.ts'

const UNDER_WAY = refuse('Background save already in progress')
const NOWHERE = refuse('snapshots are off: no file is configured for them')
const FAILED = refuseAs('ERR')

function saverOf({ server }: Call): Saver {
  if (server.saver === undefined) throw NOWHERE
  return server.saver
}

function save(call: Call): void {
  const saver = saverOf(call)
  if (saver.isSaving) throw UNDER_WAY
  const { session } = call
  let mine: Parked | undefined
  const answer = (error: string | undefined): void => {
    if (mine !== undefined && session.parked === mine) mine.answer((out) => (error === undefined ? out.ok() : out.error(error)))
  }
  call.wait = {
    keys: [],
    kind: 'list',
    timeoutMs: 0,
    serve: () => false,
    deny: (out) => out.error(FAILED.message),
    begun: (parked) => {
      mine = parked
    },
  }
  void saver.save().then(
    () => answer(undefined),
    () => answer(FAILED.message),
  )
}

function saveAside(call: Call): void {
  if (call.count > 1 && !(call.count === 2 && call.is(1, 'schedule'))) throw REFUSED.syntax
  const saver = saverOf(call)
  if (saver.isSaving) throw UNDER_WAY
  saver.save().catch(() => undefined) // told by INFO and the log
  call.out.simple(call.session.isInExec ? 'Background saving scheduled' : 'Background saving started')
}

export const SAVE_COMMANDS: Readonly<Record<string, Handler>> = {
  bgsave: saveAside,
  lastsave: ({ server, out }) => void out.integer(server.saver?.lastSaveSeconds ?? Math.floor(server.startedAt / 1000)),
  save,
}
