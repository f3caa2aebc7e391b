/**
 * Whether a reply says that nothing stands under the key.
 *
 * Floor 4, room resp. A key that its PTTL calls absent may be kept as absent only where the reading itself found nothing:
 * else it has expired between the two. Pure; what is not known as empty counts as full, which costs a miss.
 */

const [SIMPLE, NUMBER, BULK, ARRAY, MAP, SET, NULL] = [0x2b, 0x3a, 0x24, 0x2a, 0x25, 0x7e, 0x5f]
const [ZERO, MINUS, ONE, LF] = [0x30, 0x2d, 0x31, 0x0a]
const NONE = [0x6e, 0x6f, 0x6e, 0x65] // TYPE of nothing

/** @param end exclusive @returns whether the whole frame is nil, zero, an empty collection, or a list of nils and zeros */
export function isEmptyReply(bytes: Uint8Array, start: number, end: number): boolean {
  if (isEmptyItem(bytes, start, end)) return true
  return bytes[start] === ARRAY && emptyItems(bytes, start, end).every((one) => one)
}

/** Which items of an array are nil, zero or empty, up to the first that is neither that nor a bulk string or a number. */
export function emptyItems(bytes: Uint8Array, start: number, end: number): boolean[] {
  const empties: boolean[] = []
  let at = lineEnd(bytes, start, end)
  while (at < end) {
    const isEmpty = isEmptyItem(bytes, at, end)
    const next = isEmpty || bytes[at] === NUMBER || bytes[at] === BULK ? itemEnd(bytes, at, end) : -1
    if (next < 0 || next > end) return [...empties, false]
    empties.push(isEmpty)
    at = next
  }
  return empties
}

function isEmptyItem(bytes: Uint8Array, at: number, end: number): boolean {
  const [kind, first, second] = [bytes[at], bytes[at + 1], bytes[at + 2]]
  if (kind === NULL) return true
  if (kind === SIMPLE) return NONE.every((byte, i) => bytes[at + 1 + i] === byte)
  const isCounted = kind === BULK || kind === ARRAY || kind === MAP || kind === SET
  if (!isCounted && kind !== NUMBER) return false
  if (isCounted && first === MINUS && second === ONE) return true
  // An empty text is a value: of GET and HGET it says that there was one.
  return kind !== BULK && at + 2 < end && first === ZERO
}

/** Behind one nil, empty thing, number or bulk string. */
function itemEnd(bytes: Uint8Array, start: number, end: number): number {
  const after = lineEnd(bytes, start, end)
  if (bytes[start] !== BULK || bytes[start + 1] === MINUS) return after
  let length = 0
  for (let i = start + 1; i < after - 2; i += 1) length = length * 10 + (bytes[i] as number) - ZERO
  return after + length + 2
}

function lineEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end && bytes[at] !== LF) at += 1
  return at + 1
}
