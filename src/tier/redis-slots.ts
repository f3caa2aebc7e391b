/**
 * Which slot of a cluster a key belongs to, and who serves each slot.
 *
 * Floor 2, room tier. Pure. A key with a part in braces is placed by that part alone, so that keys which belong together
 * live together.
 *
 * @see https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#hash-tags
 */
import type { NodeAddress } from './redis-address.ts'

export const SLOTS = 16_384

/** Slots `first` to `last`, both included, and their master. */
export interface SlotRange {
  readonly first: number
  readonly last: number
  readonly master: NodeAddress
}

const CRC16 = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021
  return crc & 0xffff
})

/** @param key as it is sent, prefix included */
export function slotOf(key: string | Buffer): number {
  const bytes = typeof key === 'string' ? Buffer.from(key) : key
  const open = bytes.indexOf(0x7b)
  const close = open < 0 ? -1 : bytes.indexOf(0x7d, open + 1)
  const [from, to] = close > open + 1 ? [open + 1, close] : [0, bytes.length]
  let crc = 0
  for (let i = from; i < to; i += 1) crc = ((crc << 8) & 0xffff) ^ (CRC16[(crc >> 8) ^ (bytes[i] as number)] as number)
  return crc % SLOTS
}

/**
 * @param reply CLUSTER SLOTS' reply
 * @param asked who gave it: stands in where a server does not know its own name
 * @returns what of it is well formed
 */
export function parseSlots(reply: unknown, asked: NodeAddress): readonly SlotRange[] {
  if (!Array.isArray(reply)) return []
  return reply.flatMap((row: unknown) => {
    if (!Array.isArray(row) || !Array.isArray(row[2])) return []
    const [first, last, [name, port]] = row as [unknown, unknown, [unknown, unknown]]
    if (!isSlot(first) || !isSlot(last) || typeof port !== 'number') return []
    const host = name === null || String(name) === '' || String(name) === '?' ? asked.host : String(name)
    return [{ first, last, master: { host, port } }]
  })
}

function isSlot(given: unknown): given is number {
  return typeof given === 'number' && Number.isInteger(given) && given >= 0 && given < SLOTS
}
