/**
 * Intsets: small sets of integers as one run of bytes, in order.
 *
 * Floor 3, room keyspace. Width of an element and their number, four bytes each, then the elements; lowest byte first.
 */
import { compareIntegers } from './integer.ts'
import { RdbFault } from './rdb-fault.ts'

const HEAD_BYTES = 8

/** @throws RdbFault */
export function readIntset(bytes: Buffer): string[] {
  if (bytes.length < HEAD_BYTES) throw new RdbFault('an intset is torn')
  const width = bytes.readUInt32LE(0)
  const count = bytes.readUInt32LE(4)
  if ((width !== 2 && width !== 4 && width !== 8) || bytes.length !== HEAD_BYTES + width * count) {
    throw new RdbFault('an intset is torn')
  }
  const members: string[] = []
  for (let at = HEAD_BYTES; at < bytes.length; at += width) {
    const member = String(width === 8 ? bytes.readBigInt64LE(at) : bytes.readIntLE(at, width))
    const former = members.at(-1)
    if (former !== undefined && compareIntegers(former, member) >= 0) throw new RdbFault('an intset is out of order')
    members.push(member)
  }
  return members
}

/** @param members in order */
export function writeIntset(members: readonly string[]): Buffer {
  const most = Math.max(Math.abs(Number(members[0] ?? 0) + 0.5), Math.abs(Number(members.at(-1) ?? 0) + 0.5))
  const width = most < 2 ** 15 ? 2 : most < 2 ** 31 ? 4 : 8
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + width * members.length)
  bytes.writeUInt32LE(width, 0)
  bytes.writeUInt32LE(members.length, 4)
  let at = HEAD_BYTES
  for (const member of members) {
    if (width === 8) at = bytes.writeBigInt64LE(BigInt(member), at)
    else at = bytes.writeIntLE(Number(member), at, width)
  }
  return bytes
}
