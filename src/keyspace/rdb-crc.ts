/**
 * The checksum of a dumped value: CRC-64 with the polynomial of Jones, reflected, beginning with 0.
 *
 * Floor 3, room keyspace. In halves of 32 bits, one byte a step: a megabyte takes some milliseconds.
 */

const POLYNOMIAL_HIGH = 0x95ac9329
const POLYNOMIAL_LOW = 0xac4bc9b5
const HIGH = new Uint32Array(256)
const LOW = new Uint32Array(256)

for (let byte = 0; byte < 256; byte += 1) {
  let high = 0
  let low = byte
  for (let bit = 0; bit < 8; bit += 1) {
    const carries = (low & 1) === 1
    low = ((low >>> 1) | (high << 31)) >>> 0
    high >>>= 1
    if (!carries) continue
    low = (low ^ POLYNOMIAL_LOW) >>> 0
    high = (high ^ POLYNOMIAL_HIGH) >>> 0
  }
  HIGH[byte] = high
  LOW[byte] = low
}

/** @returns eight bytes, lowest first, as they stand at a dump's end */
export function crc64(bytes: Uint8Array): Buffer {
  let high = 0
  let low = 0
  for (let i = 0; i < bytes.length; i += 1) {
    const row = (low ^ (bytes[i] as number)) & 0xff
    low = ((low >>> 8) | (high << 24)) ^ (LOW[row] as number)
    high = (high >>> 8) ^ (HIGH[row] as number)
  }
  const sum = Buffer.allocUnsafe(8)
  sum.writeUInt32LE(low >>> 0, 0)
  sum.writeUInt32LE(high >>> 0, 4)
  return sum
}
