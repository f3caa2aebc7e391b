/**
 * ACL, as far as there is one user.
 *
 * Floor 4, room resp. The user `default` may do everything; his password is `requirepass`. Others are refused with the text
 * that Redis has where users come from no file.
 */
import { createHash, randomBytes } from 'node:crypto'
import type { Call, Command, Handler } from './embedded-call.ts'
import { refuse } from './embedded-errors.ts'
import { help } from './embedded-help.ts'

const CATEGORIES = [
  'keyspace',
  'read',
  'write',
  'set',
  'sortedset',
  'list',
  'hash',
  'string',
  'bitmap',
  'hyperloglog',
  'geo',
  'stream',
  'pubsub',
  'admin',
  'fast',
  'slow',
  'blocking',
  'dangerous',
  'connection',
  'transaction',
  'scripting',
]
const MOST_BITS = 4096
const DEFAULT_BITS = 256

function passwords({ server }: Call): readonly string[] {
  const password = server.settings.get('requirepass')
  return password === '' ? [] : [createHash('sha256').update(password, 'latin1').digest('hex')]
}

function list(call: Call): void {
  const [hash] = passwords(call)
  call.out.strs([`user default on ${hash === undefined ? 'nopass' : `#${hash}`} ~* &* +@all`])
}

function getUser(call: Call): void {
  const { out } = call
  if (call.arg(2) !== 'default') return void out.null()
  const hashes = passwords(call)
  out.map(6)
  out.str('flags')
  out.setOf(hashes.length === 0 ? ['on', 'nopass'] : ['on'])
  out.str('passwords')
  out.strs(hashes)
  for (const text of ['commands', '+@all', 'keys', '~*', 'channels', '&*']) out.str(text)
  out.str('selectors')
  out.array(0)
}

function categories(call: Call): void {
  if (call.count === 2) return call.out.strs(CATEGORIES)
  const wanted = call.arg(2).toLowerCase()
  if (!CATEGORIES.includes(wanted)) throw refuse(`Unknown category '${call.arg(2)}'`)
  const rows = [...((call.server.runner?.catalog ?? new Map()) as ReadonlyMap<string, Command>).values()]
  const all = rows.flatMap((row) => [row, ...(row.subcommands?.values() ?? [])])
  call.out.strs(all.filter((row) => row.categories.includes(wanted)).map(({ name }) => name))
}

function generate(call: Call): void {
  const bits = call.count === 2 ? DEFAULT_BITS : call.int(2)
  if (bits <= 0 || bits > MOST_BITS) {
    throw refuse('ACL GENPASS argument must be the number of bits for the output password, a positive number up to 4096')
  }
  const digits = Math.ceil(bits / 4)
  call.out.str(
    randomBytes(Math.ceil(digits / 2))
      .toString('hex')
      .slice(0, digits),
  )
}

function deny(): never {
  throw refuse('ACL users are not kept here: there is one user, `default`, whose password is `requirepass`')
}

export const ACL_COMMANDS: Readonly<Record<string, Handler>> = {
  acl: () => undefined,
  'acl cat': categories,
  'acl deluser': (call) => {
    if (call.args.slice(2).includes('default')) throw refuse("The 'default' user cannot be removed")
    call.out.integer(0)
  },
  'acl genpass': generate,
  'acl getuser': getUser,
  'acl help': help,
  'acl list': list,
  'acl log': ({ out, args }) => void (args[2]?.toLowerCase() === 'reset' ? out.ok() : out.array(0)),
  'acl setuser': deny,
  'acl users': ({ out }) => out.strs(['default']),
  'acl whoami': ({ session, out }) => out.str(session.user),
}
