/**
 * One connection in the lane.
 *
 * Floor 5, room server. Order of answers is order of requests: while the stack answers one, the lane holds what comes
 * behind it. The connection comes back only when the stack has read a message whose end was known beforehand, to that
 * very end, and has answered it; else the stack keeps it. A client that does not take its answers stops being read.
 */
import type { Socket } from 'node:net'
import { ForecacheError } from '../model/errors.ts'
import { Aside } from './lane-aside.ts'
import { AsideMessage } from './lane-message.ts'
import type { LaneAnswer, LaneDesk, LanePeer } from './lane-desk.ts'
import { LaneIncoming } from './lane-incoming.ts'
import { type LaneShared, ONE_COPY_BYTES } from './lane-shared.ts'
import { headEnd, isBare, readFields, type RequestLine, scanRequestLine } from './lane-scan.ts'
import { peerOf, schemeOf } from './peer.ts'
import { errorBytes } from './refuse.ts'

/** Bytes held behind a request that the stack answers, before the client is no longer read. */
const MAX_HELD_BYTES = 64 * 1024
/** What stands between a target and the fields. */
const VERSION_BYTES = ' HTTP/1.1\r\n'.length
const NOTHING = Buffer.alloc(0)
const TOO_LATE = errorBytes(new ForecacheError('FC_REQUEST_TIMEOUT', { ms: 'the allowed' }))

/** See the module's header. */
export class LaneConnection {
  readonly #socket: Socket
  readonly #lane: LaneShared
  readonly #from: LanePeer
  /** Who answered last: what is remembered below was said by him. */
  #desk: LaneDesk | undefined
  /** The head recognised last: all of it, its fields' place in it, what they say, what the request is known as. */
  #head: Buffer = NOTHING
  #fieldsAt = 0
  #isHead = false
  #fields: unknown
  #known: unknown
  readonly #line: RequestLine = { method: 'GET', targetStart: 0, targetEnd: 0, fieldsStart: 0 }
  /** Where the head recognised now ends. */
  #end = 0
  /** Bytes gathered for one write. */
  #gathered = 0
  #held: Buffer = NOTHING
  #aside: Aside | undefined
  /** The message that the stack is reading or answering; undefined: the lane is open. */
  #message: AsideMessage | undefined
  /** A request of the lane's own awaits its answer. */
  #awaiting = false
  #blocked = false
  #ended = false
  #given = false
  #leaving = false
  #idleSince: number

  constructor(socket: Socket, lane: LaneShared) {
    this.#socket = socket
    this.#lane = lane
    this.#from = { peer: peerOf(socket, '1.1'), scheme: schemeOf(socket) }
    this.#idleSince = lane.host.clock.now()
    socket.on('data', this.#onData)
    socket.on('drain', this.#onDrain)
    socket.on('end', this.#onEnd)
    socket.on('error', this.#onError)
    socket.on('timeout', this.#onTimeout)
    socket.once('close', this.#onClose)
    socket.resume()
  }

  /**
   * Closes the connection if its client has asked nothing for too long.
   *
   * @param before `clock.now()` of the last question
   * @param silentBefore the same where there was none at all; such a client is told
   */
  expire(before: number, silentBefore: number): void {
    const socket = this.#socket
    if (!this.#isOpen || socket.writableLength > 0) return
    if (this.#idleSince <= before || socket.writableEnded) socket.destroy()
    else if (this.#idleSince <= silentBefore && socket.bytesRead === 0) socket.end(TOO_LATE)
  }

  /** Ends the connection when it owes no answer. */
  closeIdle(): void {
    this.#leaving = true
    if (this.#isOpen && !this.#blocked) this.#socket.destroySoon()
  }

  /** Whether the lane has the connection now. */
  get #isOpen(): boolean {
    return this.#message === undefined && !this.#awaiting && !this.#given
  }

  destroy(): void {
    this.#socket.destroy()
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#isOpen && !this.#blocked) this.#run(chunk)
    else if (this.#message !== undefined && this.#held.length === 0 && !this.#message.isWhole) this.#feed(chunk)
    else this.#hold(chunk)
  }

  /** Answers what it can of the bytes; the rest is held or goes to the stack. */
  #run(chunk: Buffer): void {
    const { clock } = this.#lane.host
    const now = clock.now()
    const desk = this.#lane.host.desk()
    if (desk !== this.#desk) this.#meet(desk)
    let at = 0
    while (desk !== undefined && at < chunk.length && !this.#blocked) {
      if (!this.#recognise(desk, chunk, at)) break
      const answer = desk.answer(this.#known, now)
      if (answer === undefined) break
      at = this.#end
      if (at >= chunk.length && this.#gathered === 0 && answer.whole !== undefined && !this.#isHead) this.#write(answer.whole)
      else this.#put(answer)
      if (at >= chunk.length) this.#flush()
      this.#lane.counts.answered += 1
      desk.time(this.#known, clock.now() - now)
    }
    this.#flush()
    this.#idleSince = now
    if (at >= chunk.length) return
    const rest = at === 0 ? chunk : chunk.subarray(at)
    if (this.#blocked) this.#hold(rest)
    else if (!this.#isHeld(rest, desk) || !this.#await(rest, desk as LaneDesk)) this.#stepAside(rest)
  }

  /** Whether the head read last, with fields that the desk could read, begins these bytes. */
  #isHeld(bytes: Buffer, desk: LaneDesk | undefined): boolean {
    const { length } = this.#head
    if (desk?.await === undefined || length === 0 || this.#fields === undefined || length > bytes.length) return false
    return bytes.compare(this.#head, 0, length, 0, length) === 0
  }

  /** Lets the door answer the request that begins these bytes; what stands behind it is held. */
  #await(bytes: Buffer, desk: LaneDesk): boolean {
    const head = this.#head
    const method = this.#isHead ? 'HEAD' : 'GET'
    const target = head.toString('latin1', method.length + 1, this.#fieldsAt - VERSION_BYTES)
    const errand = desk.await?.(this.#fields, method, target)
    if (errand === undefined) return false
    this.#lane.counts.awaited += 1
    this.#awaiting = true
    const { options, host } = this.#lane
    this.#socket.setTimeout(options.writeMs)
    if (bytes.length > head.length) this.#hold(bytes.subarray(head.length))
    const arrival = {
      socket: this.#socket,
      peer: this.#from.peer,
      method,
      target,
      keepAliveSeconds: Math.floor(options.keepAliveMs / 1000),
      draining: () => host.draining(),
      onAnswered: (last: boolean) => this.#onAwaited(last),
    } as const
    errand.run(new LaneIncoming(arrival, errand.head), errand.head)
    return true
  }

  #onAwaited(last: boolean): void {
    this.#awaiting = false
    if (last) this.#socket.destroySoon()
    else this.#reopen()
  }

  /** Whether a head that the desk knows begins at `at`; then `#known` is it, and `#end` where it ends. */
  #recognise(desk: LaneDesk, chunk: Buffer, at: number): boolean {
    const head = this.#head
    const end = at + head.length
    if (head.length > 0 && end <= chunk.length && chunk.compare(head, 0, head.length, at, end) === 0) {
      this.#end = end
      return this.#known !== undefined
    }
    const line = this.#line
    if (!scanRequestLine(chunk, at, line) || !this.#readFields(desk, chunk, at)) return false
    this.#remember(chunk, at)
    this.#known = desk.know(this.#fields, line.method, chunk.toString('latin1', line.targetStart, line.targetEnd))
    return this.#known !== undefined
  }

  /** What the fields behind the request line say; the same bytes as last time say the same. */
  #readFields(desk: LaneDesk, chunk: Buffer, at: number): boolean {
    const { fieldsStart } = this.#line
    const head = this.#head
    const length = head.length - this.#fieldsAt
    const end = fieldsStart + length
    if (length > 0 && end <= chunk.length && chunk.compare(head, this.#fieldsAt, head.length, fieldsStart, end) === 0) {
      this.#end = end
      return end - at <= this.#lane.options.maxHeadBytes
    }
    const found = headEnd(chunk, fieldsStart - 2)
    if (found < 0 || found - at > this.#lane.options.maxHeadBytes) return false
    const raw = readFields(chunk.toString('latin1', fieldsStart, found - 2))
    if (raw === undefined || !isBare(raw)) return false
    const fields = desk.read(raw, this.#from)
    if (fields === undefined) return false
    this.#end = found
    this.#fields = fields
    return true
  }

  /** Keeps the head recognised; alone if it came with much else. */
  #remember(chunk: Buffer, at: number): void {
    const end = this.#end
    const bytes = chunk.subarray(at, end)
    this.#keep(bytes.length * 2 < chunk.length ? Buffer.from(bytes) : bytes)
    this.#fieldsAt = this.#line.fieldsStart - at
    this.#isHead = this.#line.method === 'HEAD'
  }

  #keep(head: Buffer): void {
    this.#lane.headBytes += head.length - this.#head.length
    this.#head = head
  }

  #meet(desk: LaneDesk | undefined): void {
    this.#desk = desk
    this.#keep(NOTHING)
    this.#fieldsAt = 0
    this.#fields = undefined
    this.#known = undefined
  }

  #put({ head, body }: LaneAnswer): void {
    const bodyBytes = body === undefined || this.#isHead ? 0 : body.byteLength
    const bytes = head.byteLength + bodyBytes
    if (this.#gathered + bytes > this.#lane.gather.length) this.#flush()
    if (bytes > ONE_COPY_BYTES) {
      this.#flush()
      this.#socket.cork()
      this.#socket.write(Buffer.from(head))
      if (bodyBytes > 0) this.#socket.write(body as Uint8Array)
      this.#socket.uncork()
      this.#settle()
      return
    }
    const { gather } = this.#lane
    gather.set(head, this.#gathered)
    if (bodyBytes > 0) gather.set(body as Uint8Array, this.#gathered + head.byteLength)
    this.#gathered += bytes
  }

  /** One write for all that is gathered. */
  #flush(): void {
    if (this.#gathered === 0) return
    const bytes = this.#lane.gather.subarray(0, this.#gathered)
    this.#gathered = 0
    const socket = this.#socket
    // Bytes that wait behind others, or are yet to be encrypted, are copied: the place where they stand is used again.
    const waits = socket.writableLength > 0 || this.#from.scheme === 'https'
    socket.write(waits ? Buffer.from(bytes) : bytes)
    if (!waits && socket.writableLength > 0) this.#lane.renewGather()
    this.#settle()
  }

  /** One answer in a buffer of its own. */
  #write(whole: Buffer): void {
    this.#socket.write(whole)
    this.#settle()
  }

  /** A client that does not take what was written is not read any further, and has its own deadline. */
  #settle(): void {
    if (this.#socket.writableLength === 0) return
    this.#socket.setTimeout(this.#lane.options.writeMs)
    this.#blocked = this.#socket.writableNeedDrain
  }

  #hold(bytes: Buffer): void {
    if (this.#aside?.writableEnded === true) return // nothing behind the last answer is read
    this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes])
    if (this.#blocked || this.#held.length > MAX_HELD_BYTES) this.#socket.pause()
  }

  /** The lane is open again: what came meanwhile is next. */
  #resume(): void {
    const held = this.#held
    this.#held = NOTHING
    if (held.length > 0) this.#run(held)
    if (this.#isOpen && !this.#blocked) {
      this.#socket.resume()
      if (this.#ended) this.#socket.end()
      else if (this.#leaving) this.#socket.destroySoon()
    }
  }

  readonly #onDrain = (): void => {
    this.#aside?.drained()
    if (!this.#blocked) return
    this.#blocked = false
    if (!this.#isOpen) return
    this.#idleSince = this.#lane.host.clock.now()
    this.#socket.setTimeout(0)
    this.#resume()
  }

  readonly #onEnd = (): void => {
    this.#ended = true
    if (this.#message !== undefined) this.#endAside()
    else if (this.#awaiting || !this.#blocked) this.#socket.end() // whoever sends no more while he waits is taken for gone
  }

  /** The stack gets what is held, and the end: it knows what becomes of requests that are not yet answered. */
  #endAside(): void {
    const held = this.#held
    this.#held = NOTHING
    this.#message?.keep()
    if (held.length > 0) this.#aside?.push(held)
    this.#aside?.push(null)
  }

  readonly #onError = (): void => {
    this.#socket.destroy()
  }

  readonly #onClose = (): void => {
    this.#keep(NOTHING)
    this.#aside?.destroy()
  }

  readonly #onTimeout = (): void => {
    if (this.#message !== undefined) this.#aside?.emit('timeout')
    else if (this.#socket.writableLength > 0) this.#socket.destroy()
    else this.#socket.setTimeout(this.#awaiting ? this.#lane.options.writeMs : 0)
  }

  /** Hands a request to the stack: the bytes from its first to its last, or as far as they are here. */
  #stepAside(bytes: Buffer): void {
    const message = new AsideMessage(this.#lane.options.maxHeadBytes)
    message.look(bytes)
    if (message.isEndless && this.#aside === undefined) {
      this.#give(bytes)
      return
    }
    this.#lane.counts.aside += 1
    this.#message = message
    if (this.#aside === undefined) {
      this.#aside = new Aside(this.#socket, {
        onRead: () => {
          if (!this.#blocked && this.#held.length <= MAX_HELD_BYTES) this.#socket.resume()
        },
        onTimeout: (ms) => {
          if (this.#message !== undefined) this.#socket.setTimeout(ms)
        },
        onAnswered: () => this.#onAnswered(),
        isIdle: () => this.#message === undefined,
      })
      this.#lane.host.accept(this.#aside)
    } else this.#socket.setTimeout(this.#lane.options.writeMs)
    this.#pass(bytes)
  }

  /** More of a message that the stack is reading. */
  #feed(chunk: Buffer): void {
    this.#message?.look(chunk)
    this.#pass(chunk)
  }

  /** Gives the stack what belongs to its message; what stands behind is held. */
  #pass(bytes: Buffer): void {
    const message = this.#message as AsideMessage
    const mine = message.take(bytes.length)
    const piece = mine === bytes.length ? bytes : bytes.subarray(0, mine)
    if (piece.length > 0 && this.#aside?.push(piece) === false) this.#socket.pause()
    if (mine < bytes.length) this.#hold(bytes.subarray(mine))
    if (this.#ended && !message.isWhole) this.#endAside()
  }

  /** The stack has answered all it has read. */
  #onAnswered(): void {
    const aside = this.#aside as Aside
    if (this.#message?.isWhole !== true || aside.writableEnded || aside.destroyed || aside.readableLength > 0) return
    this.#message = undefined
    this.#reopen()
  }

  /** The lane has the connection again. */
  #reopen(): void {
    this.#blocked = this.#socket.writableNeedDrain
    this.#idleSince = this.#lane.host.clock.now()
    this.#socket.setTimeout(this.#socket.writableLength > 0 ? this.#lane.options.writeMs : 0)
    if (!this.#blocked) this.#resume()
  }

  /** The stack gets the connection itself, and keeps it. */
  #give(bytes: Buffer): void {
    const socket = this.#socket
    this.#lane.counts.given += 1
    this.#given = true
    this.#keep(NOTHING)
    socket.off('data', this.#onData).off('drain', this.#onDrain).off('end', this.#onEnd)
    socket.off('error', this.#onError).off('timeout', this.#onTimeout).off('close', this.#onClose)
    socket.pause()
    socket.unshift(bytes)
    this.#lane.host.accept(socket)
    socket.resume()
  }
}
