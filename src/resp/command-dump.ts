/**
 * DUMP and RESTORE.
 *
 * Floor 4, room resp. Payloads are those of Redis 7.0, both ways.
 */
import { isDump, readDump, writeDump } from '../keyspace/rdb-dump.ts'
import { RdbFault } from '../keyspace/rdb-fault.ts'
import type { Value } from '../keyspace/value.ts'
import type { Call, Handler } from './embedded-call.ts'
import { REFUSED, refuse } from './embedded-errors.ts'

function dump(call: Call): void {
  const value = call.value(call.arg(1))
  call.out.strOrNull(value === undefined ? undefined : writeDump(value).toString('latin1'))
}

interface RestoreWish {
  readonly replaces: boolean
  readonly isAbsolute: boolean
}

function readWish(call: Call): RestoreWish {
  let [replaces, isAbsolute, hasIdle, hasFrequency] = [false, false, false, false]
  for (let i = 4; i < call.count; i += 1) {
    const hasMore = i + 1 < call.count
    if (call.is(i, 'replace')) replaces = true
    else if (call.is(i, 'absttl')) isAbsolute = true
    else if (call.is(i, 'idletime') && hasMore && !hasFrequency) {
      i += 1
      if (call.bigInt(i) < 0n) throw refuse('Invalid IDLETIME value, must be >= 0')
      hasIdle = true
    } else if (call.is(i, 'freq') && hasMore && !hasIdle) {
      i += 1
      const frequency = call.bigInt(i)
      if (frequency < 0n || frequency > 255n) throw refuse('Invalid FREQ value, must be >= 0 and <= 255')
      hasFrequency = true
    } else throw REFUSED.syntax
  }
  return { replaces, isAbsolute }
}

function restore(call: Call): void {
  const key = call.arg(1)
  const { replaces, isAbsolute } = readWish(call)
  if (!replaces && call.db.has(key)) throw REFUSED.busyKey
  const ttl = call.bigInt(2)
  if (ttl < 0n) throw refuse('Invalid TTL value, must be >= 0')
  const payload = Buffer.from(call.arg(3), 'latin1')
  if (!isDump(payload)) throw refuse('DUMP payload version or checksum are wrong')
  const value = valueOf(call, payload)
  const deadline = ttl === 0n || isAbsolute ? Number(ttl) : Number(ttl) + Math.floor(call.now)
  if (deadline !== 0 && deadline <= call.now) {
    if (replaces) call.remove(key)
    return call.out.ok()
  }
  if (value.kind === 'string') call.db.putText(key, value.text)
  else call.db.put(key, value)
  if (deadline !== 0) call.db.setDeadline(key, deadline)
  call.changed(key, 'g', 'restore')
  call.out.ok()
}

function valueOf({ space, server }: Call, payload: Buffer): Value {
  try {
    return readDump(payload, { limits: space.limits, random: server.random })
  } catch (error) {
    if (error instanceof RdbFault) throw refuse('Bad data format')
    throw error
  }
}

export const DUMP_COMMANDS: Readonly<Record<string, Handler>> = { dump, restore }
