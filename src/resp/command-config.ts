/**
 * CONFIG.
 *
 * Floor 4, room resp. What is set takes effect at once where it means something here.
 */
import type { Call, Handler } from './embedded-call.ts'
import { REFUSED, refuse, untilZero } from './embedded-errors.ts'
import { publishEvents } from './embedded-events.ts'
import { isMatch } from './embedded-glob.ts'
import { help } from './embedded-help.ts'
import type { Server } from './embedded-server.ts'

function get(call: Call): void {
  const { settings } = call.server
  const names = new Set<string>()
  for (const given of call.args.slice(2)) {
    const pattern = given.toLowerCase()
    for (const name of settings.names()) if (isMatch(pattern, name)) names.add(name)
  }
  call.out.map(names.size)
  for (const name of names) {
    call.out.str(name)
    call.out.str(settings.get(name))
  }
}

function set(call: Call): void {
  if (call.count % 2 === 1) throw REFUSED.syntax
  const { settings } = call.server
  const wanted: (readonly [name: string, value: string])[] = []
  for (let i = 2; i < call.count; i += 2) {
    const name = call.arg(i).toLowerCase()
    if (!settings.names().includes(name)) {
      throw refuse(`Unknown option or number of arguments for CONFIG SET - '${untilZero(call.arg(i))}'`)
    }
    const failed = `CONFIG SET failed (possibly related to argument '${name}') - `
    if (settings.isFixed(name)) throw refuse(`${failed}can't set immutable config`)
    if (wanted.some(([other]) => other === name)) throw refuse(`${failed}duplicate parameter`)
    const checked = settings.check(name, call.arg(i + 1))
    if ('reason' in checked) throw refuse(failed + checked.reason)
    wanted.push([name, checked.value])
  }
  for (const [name, value] of wanted) settings.put(name, value)
  applySettings(call.server)
  call.out.ok()
}

/** Lets settings take effect. */
export function applySettings(server: Server): void {
  const { settings, space } = server
  space.maxBytes = settings.number('maxmemory')
  space.evicts = settings.get('maxmemory-policy') !== 'noeviction'
  space.limits.hashEntries = settings.number('hash-max-listpack-entries')
  space.limits.hashValueBytes = settings.number('hash-max-listpack-value')
  space.limits.zsetEntries = settings.number('zset-max-listpack-entries')
  space.limits.zsetValueBytes = settings.number('zset-max-listpack-value')
  space.limits.setIntegers = settings.number('set-max-intset-entries')
  publishEvents(server)
}

function resetStats({ server, space, out }: Call): void {
  Object.assign(space.stats, { hits: 0, misses: 0, expired: 0, evicted: 0 })
  Object.assign(server.stats, { commands: 0, connections: 0, errors: 0 })
  out.ok()
}

export const CONFIG_COMMANDS: Readonly<Record<string, Handler>> = {
  config: () => {
    throw REFUSED.syntax
  },
  'config get': get,
  'config help': help,
  'config resetstat': resetStats,
  'config rewrite': () => {
    throw refuse('The server is running without a config file')
  },
  'config set': set,
}
