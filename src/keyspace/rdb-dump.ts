/**
 * DUMP's payload: a value, the version of its form, and a checksum.
 *
 * Floor 3, room keyspace.
 */
import { crc64 } from './rdb-crc.ts'
import { RdbReader } from './rdb-reader.ts'
import { readValue, type ValueParts, writeValue } from './rdb-value.ts'
import { RdbWriter } from './rdb-writer.ts'
import type { Value } from './value.ts'

/** Of Redis 7.0. */
const VERSION = 10
const FOOT_BYTES = 10

export function writeDump(value: Value): Buffer {
  const writer = new RdbWriter(true)
  writeValue(writer, value)
  writer.byte(VERSION).byte(0)
  return Buffer.concat([writer.view(), crc64(writer.view())])
}

/** Whether it is of a version that can be read, and whole. */
export function isDump(payload: Buffer): boolean {
  if (payload.length < FOOT_BYTES || payload.readUInt16LE(payload.length - FOOT_BYTES) > VERSION) return false
  return crc64(payload.subarray(0, -8)).equals(payload.subarray(-8))
}

/** @throws RdbFault */
export function readDump(payload: Buffer, parts: ValueParts): Value {
  return readValue(new RdbReader(payload.subarray(0, -FOOT_BYTES)), parts)
}
