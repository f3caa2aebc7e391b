/**
 * Writes to a connection by what Node's own stream writes with, and leaves the stream out where the kernel takes all at once.
 *
 * Floor 5, room server. A stream's bookkeeping for one write costs more than what a command costs that is answered from
 * memory. `writeBuffer` of a socket's handle says whether the kernel took everything; where it did not, the stream is given
 * what the call returned and owns the rest, as if it had made the call itself: order, `writableLength`, `drain`, ends and
 * errors are its own. Used only where Node itself calls it so, which is watched on the first write of a process, and never
 * where a stream has bytes of its own, is encrypted, not connected, or has a timeout that writes put off.
 */
import type { Socket } from 'node:net'

/** What Node's own writing returns: 0, an error's number, or a request under way. */
type Result = number | object
interface Handle {
  writeBuffer?: (request: null, bytes: Buffer) => Result
}

/** undefined: not yet seen. */
let isKnown: boolean | undefined

/** @param bytes may be overwritten once `socket.writableLength` is 0 */
export function writeSocket(socket: Socket, bytes: Buffer): void {
  const handle = (socket as unknown as { readonly _handle?: Handle | null })._handle
  if (handle?.writeBuffer === undefined || isKnown === false || !isBare(socket)) socket.write(bytes)
  else if (isKnown === undefined) watch(socket, handle, bytes)
  else {
    const result = handle.writeBuffer(null, bytes)
    if (result !== 0) handOver(socket, handle, { bytes, result })
  }
}

/** Whether the stream has nothing to say in it. */
function isBare(socket: Socket): boolean {
  return socket.writableLength === 0 && socket.writable && !socket.connecting && !socket.timeout && !('encrypted' in socket)
}

/** The stream writes; what it calls the handle with tells whether this Node is of the kind that is known here. */
function watch(socket: Socket, handle: Handle, bytes: Buffer): void {
  let isSeen = false
  const own = handle.writeBuffer as (...given: unknown[]) => Result
  handle.writeBuffer = (...given: unknown[]) => {
    delete handle.writeBuffer
    const result = own.apply(handle, given)
    isSeen = given.length === 2 && given[0] === null && given[1] === bytes && result === 0
    return result
  }
  socket.write(bytes)
  if (Object.hasOwn(handle, 'writeBuffer')) delete handle.writeBuffer
  // A write that did not end at once shows nothing: the next one is watched.
  if (isSeen || socket.writableLength === 0) isKnown = isSeen
}

function handOver(socket: Socket, handle: Handle, { bytes, result }: { bytes: Buffer; result: Result }): void {
  handle.writeBuffer = () => {
    delete handle.writeBuffer
    return result
  }
  socket.write(bytes)
}
