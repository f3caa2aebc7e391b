/**
 * CLIENT TRACKING, CACHING, TRACKINGINFO and GETREDIR.
 *
 * Floor 4, room resp.
 */
import type { Call, Handler } from './embedded-call.ts'
import { REFUSED, refuse } from './embedded-errors.ts'
import type { TrackingWish } from './embedded-tracking-wish.ts'

const SWITCH_BROADCAST =
  "You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode."
const SWITCH_OPT =
  "You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode."
const NOT_TRACKING = 'CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled'

function readWish(call: Call): TrackingWish {
  const prefixes: string[] = []
  const words = new Set<string>()
  let redirect = 0
  for (let i = 3; i < call.count; i += 1) {
    const word = call.arg(i).toLowerCase()
    const hasMore = i + 1 < call.count
    if (word === 'redirect' && hasMore) {
      if (redirect !== 0) throw refuse('A client can only redirect to a single other client')
      i += 1
      redirect = call.int(i)
      if (!call.server.sessions.has(redirect)) throw refuse('The client ID you want redirect to does not exist')
    } else if (word === 'prefix' && hasMore) {
      i += 1
      prefixes.push(call.arg(i))
    } else if (['bcast', 'optin', 'optout', 'noloop'].includes(word)) words.add(word)
    else throw REFUSED.syntax
  }
  return {
    isBroadcast: words.has('bcast'),
    prefixes,
    optIn: words.has('optin'),
    optOut: words.has('optout'),
    noLoop: words.has('noloop'),
    redirect,
  }
}

function check({ isBroadcast, prefixes, optIn, optOut }: TrackingWish, former: TrackingWish | undefined): void {
  if (!isBroadcast && prefixes.length > 0) throw refuse('PREFIX option requires BCAST mode to be enabled')
  if (former !== undefined && former.isBroadcast !== isBroadcast) throw refuse(SWITCH_BROADCAST)
  if (isBroadcast && (optIn || optOut)) throw refuse('OPTIN and OPTOUT are not compatible with BCAST')
  if (optIn && optOut) throw refuse("You can't specify both OPTIN mode and OPTOUT mode")
  if ((optIn && former?.optOut === true) || (optOut && former?.optIn === true)) throw refuse(SWITCH_OPT)
  for (const [i, prefix] of prefixes.entries()) {
    for (const other of former?.prefixes ?? []) {
      if (overlap(prefix, other)) {
        throw refuse(
          `Prefix '${prefix}' overlaps with an existing prefix '${other}'. Prefixes for a single client must not overlap.`,
        )
      }
    }
    for (const other of prefixes.slice(i + 1)) {
      if (overlap(prefix, other)) {
        throw refuse(
          `Prefix '${prefix}' overlaps with another provided prefix '${other}'. Prefixes for a single client must not overlap.`,
        )
      }
    }
  }
}

function overlap(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a)
}

function track(call: Call): void {
  const { session, server } = call
  const wish = readWish(call)
  if (call.is(2, 'off')) {
    server.tracking.stop(session)
  } else if (call.is(2, 'on')) {
    const former = session.tracking
    check(wish, former)
    const prefixes = [...(former?.prefixes ?? []), ...(wish.prefixes.length > 0 ? wish.prefixes : [''])]
    server.tracking.start(session, { ...wish, prefixes: wish.isBroadcast ? [...new Set(prefixes)] : [] })
  } else throw REFUSED.syntax
  call.out.ok()
}

function caching(call: Call): void {
  const { tracking } = call.session
  if (tracking === undefined) throw refuse(NOT_TRACKING)
  if (call.is(2, 'yes')) {
    if (!tracking.optIn) throw refuse('CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.')
  } else if (call.is(2, 'no')) {
    if (!tracking.optOut) throw refuse('CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.')
  } else throw REFUSED.syntax
  call.session.mayCache = true
  call.out.ok()
}

function info({ session, out }: Call): void {
  const { tracking } = session
  const flags = [tracking === undefined ? 'off' : 'on']
  if (tracking?.isBroadcast === true) flags.push('bcast')
  if (tracking?.optIn === true) flags.push('optin', ...(session.mayCache ? ['caching-yes'] : []))
  if (tracking?.optOut === true) flags.push('optout', ...(session.mayCache ? ['caching-no'] : []))
  if (tracking?.noLoop === true) flags.push('noloop')
  if (session.redirectIsBroken) flags.push('broken_redirect')
  out.map(3)
  out.str('flags')
  out.setOf(flags)
  out.str('redirect')
  out.integer(tracking?.redirect ?? -1)
  out.str('prefixes')
  out.strs([...(tracking?.prefixes ?? [])].sort())
}

export const TRACKING_COMMANDS: Readonly<Record<string, Handler>> = {
  'client caching': caching,
  'client getredir': ({ session, out }) => void out.integer(session.tracking?.redirect ?? -1),
  'client tracking': track,
  'client trackinginfo': info,
}
