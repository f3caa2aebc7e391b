/**
 * Commands about the server and all of its data.
 *
 * Floor 4, room resp. INFO, CONFIG, COMMAND and CLIENT have files of their own.
 */
import { encodingOf } from '../keyspace/value.ts'
import { isInteger64 } from '../keyspace/integer.ts'
import type { Call, Handler } from './embedded-call.ts'
import { REFUSED, refuse } from './embedded-errors.ts'
import { help } from './embedded-help.ts'

const NOTHING = (): undefined => undefined

function flush(call: Call): void {
  const isPlain = call.count === 1 || (call.count === 2 && (call.is(1, 'sync') || call.is(1, 'async')))
  if (!isPlain) throw REFUSED.syntax
  call.space.clear(call.command.name === 'flushall' ? call.space.databases : [call.db])
  call.out.ok()
}

function swap(call: Call): void {
  const numbers = [1, 2].map((i) => {
    const text = call.arg(i)
    const number = Number(text)
    if (!isInteger64(text) || Math.abs(number) >= 2 ** 31) throw refuse(`invalid ${i === 1 ? 'first' : 'second'} DB index`)
    return number
  }) as [number, number]
  if (numbers.some((number) => call.space.databases[number] === undefined)) throw refuse('DB index is out of range')
  call.space.swap(...numbers)
  call.out.ok()
}

function time({ server, out }: Call): void {
  const now = server.clock.wall()
  const micros = Math.floor((server.clock.now() % 1) * 1000)
  out.strs([String(Math.floor(now / 1000)), String((Math.floor(now) % 1000) * 1000 + micros)])
}

/** What a key takes, roughly: as it is charged here. */
function memoryUsage(call: Call): void {
  for (let i = 3; i < call.count; i += 2) {
    if (!call.is(i, 'samples') || i + 1 >= call.count) throw REFUSED.syntax
    if (call.int(i + 1) < 0) throw REFUSED.syntax
  }
  const value = call.db.peek(call.arg(2))
  if (value === undefined) return void call.out.null()
  const own = value.kind === 'string' ? (encodingOf(value) === 'int' ? 0 : value.text.length) : value.bytes
  call.out.integer(own + call.arg(2).length + 56)
}

function memoryStats({ space, out }: Call): void {
  const rows: readonly (readonly [string, number])[] = [
    ['peak.allocated', space.usedBytes],
    ['total.allocated', space.usedBytes],
    ['startup.allocated', 0],
    ['keys.count', space.databases.reduce((sum, db) => sum + db.size, 0)],
    ['dataset.bytes', space.usedBytes],
  ]
  out.map(rows.length)
  for (const [name, value] of rows) {
    out.str(name)
    out.integer(value)
  }
}

function wait(call: Call): void {
  call.int(1)
  const timeout = call.arg(2)
  if (!isInteger64(timeout)) throw refuse('timeout is not an integer or out of range')
  if (Number(timeout) < 0) throw REFUSED.timeoutNegative
  call.out.integer(0)
}

function debug(call: Call): void {
  void call
  throw refuse(
    'DEBUG command not allowed. If the enable-debug-command option is set to "local", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.',
  )
}

function monitor({ server, session, out }: Call): void {
  if (session.mayNotWait) throw refuse("MONITOR isn't allowed for DENY BLOCKING client")
  server.monitors.add(session)
  session.isMonitor = true
  out.ok()
}

function role({ out }: Call): void {
  out.array(3)
  out.str('master')
  out.integer(0)
  out.array(0)
}

function slowlogGet(call: Call): void {
  if (call.count === 3 && call.int(2) < -1) throw refuse('count should be greater than or equal to -1')
  call.out.array(0)
}

export const SERVER_COMMANDS: Readonly<Record<string, Handler>> = {
  debug,
  flushall: flush,
  flushdb: flush,
  latency: NOTHING,
  'latency doctor': ({ out }) => out.plain('Latency monitoring is disabled in this instance.'),
  'latency help': help,
  'latency histogram': ({ out }) => void out.map(0),
  'latency history': ({ out }) => void out.array(0),
  'latency latest': ({ out }) => void out.array(0),
  'latency reset': ({ out }) => void out.integer(0),
  lolwut: ({ out }) => out.plain('Redis ver. 7.0.15\n'),
  memory: NOTHING,
  'memory doctor': ({ out }) => out.plain('Sam, I detected no issues'),
  'memory help': help,
  'memory malloc-stats': ({ out }) => out.plain('Stats not supported for the current allocator'),
  'memory purge': ({ out }) => out.ok(),
  'memory stats': memoryStats,
  'memory usage': memoryUsage,
  monitor,
  role,
  slowlog: NOTHING,
  'slowlog get': slowlogGet,
  'slowlog help': help,
  'slowlog len': ({ out }) => void out.integer(0),
  'slowlog reset': ({ out }) => out.ok(),
  swapdb: swap,
  time,
  wait,
}
