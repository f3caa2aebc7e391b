/**
 * The way there: what each command may change or teach, what is expected for it, and its bytes as they came.
 *
 * Floor 4, room resp. Runs of requests leave as one piece. Behind a reading that may be kept one PTTL per key is sent,
 * whose answers the client never sees. A write is marked before its bytes leave, and again when its reply is here.
 */
import type { RequestScanner } from '../wire/resp-request.ts'
import type { Written } from './coherence.ts'
import type { Reader } from './coherence-reader.ts'
import { type CommandRule, isLive, keysOf, teaches } from './command-table.ts'
import { KeyPlaces } from './command-table-keys.ts'
import { FramedWords } from './command-table-words.ts'
import { EXPECT, type Pending } from './pending.ts'
import { addEffect, type Effect, NO_EFFECT } from './proxy-effect.ts'
import { Reading } from './proxy-reading.ts'
import { MAX_REQUEST_BYTES, type ProxyShared } from './proxy-shared.ts'
import type { ProxyState } from './proxy-state.ts'
import type { Gather } from './session-gather.ts'

/** What a sender works with. */
export interface SenderParts {
  readonly shared: ProxyShared
  readonly reader: Reader
  readonly pending: Pending
  readonly state: ProxyState
  readonly out: Gather
}

/** Keys of one reading: each costs a question of ours. */
const MAX_READING_KEYS = 16
/** Replies owed behind which no further reading is kept. */
const MAX_FILLING = 4096
/** Writes of an unframed connection that count as under way; of elder ones pushes tell, as of anybody's. */
const MAX_MARKED = 4096
const PTTL = Buffer.from('*2\r\n$4\r\nPTTL\r\n', 'latin1')

/** See the module's header. */
export class ProxySender {
  readonly #parts: SenderParts
  readonly #words = new FramedWords()
  readonly #places = new KeyPlaces()
  #now = 0
  #bytes: Buffer = PTTL
  #runStart = 0
  #runEnd = 0
  /** Effects of what is queued between MULTI and EXEC. */
  #queued: Effect = NO_EFFECT
  /** Writes of which nothing is heard any more. */
  readonly #marked: Effect[] = []
  /** Some of them no longer count as under way: what confirms them is relayed once memory has followed. */
  hasLetGo = false
  /** Where replies of this connection are kept; -1: nowhere. */
  #partition = -1
  #placed = -1

  constructor(parts: SenderParts) {
    this.#parts = parts
  }

  /** Requests of a chunk follow. */
  begin(now: number): void {
    this.#now = now
  }

  /** The rule of a framed request. */
  ruleOf(frame: RequestScanner): CommandRule {
    return this.#parts.shared.table.rule(this.#words.of(frame))
  }

  /** A request that has nothing to do with the connection's state. */
  pass(frame: RequestScanner, rule: CommandRule): void {
    const { pending, shared, state } = this.#parts
    const { counts } = shared
    if (state.isMulti) {
      this.#queued = addEffect(this.#queued, this.#effectOf(frame, rule))
      pending.push(EXPECT.relay, undefined)
    } else if (rule.effect === 'read' || rule.effect === 'none') {
      if (rule.isKept && this.#read(frame, rule)) return
      if (rule.isKept) counts.passed += 1
      else if (rule.isBlocking) counts.blocking += 1
      else counts.uncached += 1
      pending.push(rule.isBlocking ? EXPECT.wake : rule.isTeaching ? EXPECT.news : EXPECT.relay, undefined)
    } else {
      counts.writes += 1
      this.#write(this.#effectOf(frame, rule), rule.isBlocking)
    }
    this.#send(frame)
  }

  /** EXEC is about to be sent: all that was queued is under way. */
  exec(): Effect {
    const effect = { ...this.#queued, teaches: true }
    this.#queued = NO_EFFECT
    this.#begun(effect)
    return effect
  }

  /** A request was answered from memory: the upstream is to hear of its keys now and then. */
  touch(frame: RequestScanner): void {
    const { hot } = this.#parts.shared
    const rule = this.ruleOf(frame)
    for (const index of keysOf(rule, this.#words, this.#places).indexes) {
      hot.add(this.#parts.state.database, frame.bytes.subarray(frame.starts[index] as number, frame.ends[index] as number))
    }
  }

  /** What was queued is discarded. */
  discard(): void {
    this.#queued = NO_EFFECT
  }

  /** The bytes of a request, as they are. */
  send(frame: Pick<RequestScanner, 'bytes' | 'start' | 'end'>): void {
    this.#send(frame)
  }

  /** Bytes of ours. */
  put(bytes: Buffer): void {
    this.#endRun()
    this.#parts.out.put(bytes, 0, bytes.length)
  }

  /** A request of which only the beginning is here: keys that are not there yet may be any. */
  passBegun(frame: RequestScanner, rule: CommandRule): void {
    const { pending, state } = this.#parts
    const isKnown = rule.effect === 'write' && frame.count > 1 && hasOneKey(rule)
    const effect: Effect = isKnown
      ? { written: this.#words.of(frame).hash(1), isUnknown: rule.effect !== 'write', teaches: true, live: [] }
      : {
          written: rule.effect === 'read' || rule.effect === 'none' ? undefined : 'everything',
          isUnknown: false,
          teaches: true,
          live: [],
        }
    if (state.isMulti) {
      this.#queued = addEffect(this.#queued, effect)
      pending.push(EXPECT.relay, undefined)
    } else if (effect.written === undefined) pending.push(EXPECT.news, undefined)
    else this.#write(effect, rule.isBlocking)
    this.#send(frame)
  }

  /**
   * A request whose reply will not be known as such: what it writes counts as under way, until the connection ends or it has written
   * much more.
   */
  mark(frame: RequestScanner, rule: CommandRule): void {
    const effect = this.#effectOf(frame, rule)
    if (effect === NO_EFFECT) return
    this.#begun(effect)
    this.#marked.push(effect)
    if (effect.written !== 'everything' && this.#marked.length <= MAX_MARKED) return
    this.hasLetGo = true
    for (const elder of this.#marked.splice(0, effect.written === 'everything' ? MAX_MARKED : MAX_MARKED / 2)) this.#lose(elder)
  }

  /** The connection is gone: all that was under way has or has not happened. */
  abandon(): void {
    const { pending } = this.#parts
    for (; pending.kind !== EXPECT.nothing; pending.shift()) {
      const { kind, item } = pending
      if (kind === EXPECT.write || kind === EXPECT.wakeWrite) this.#lose(item as Effect)
      else if (kind === EXPECT.exec) this.#lose((item as { readonly effect: Effect }).effect)
    }
    for (const effect of this.#marked.splice(0)) this.#lose(effect)
  }

  /** Where replies of this connection are kept; -1: nowhere. */
  get partition(): number {
    const { state, shared, reader } = this.#parts
    if (this.#placed === state.changes) return this.#partition
    this.#placed = state.changes
    reader.isForeign = state.user !== shared.ownUser
    this.#partition = shared.partition(`${state.version} ${state.database} ${state.isReadonly ? 1 : 0} ${state.user}`)
    return this.#partition
  }

  /** Everything gathered leaves. */
  flush(): void {
    this.#endRun()
    this.#parts.out.flush()
  }

  #begun({ written, isUnknown, live }: Effect): void {
    const { coherence } = this.#parts.shared
    if (isUnknown) coherence.forwardedUnknown(this.#parts.reader)
    if (written !== undefined) coherence.forwarded(written)
    for (const hash of live) coherence.enliven(hash)
  }

  /** Its connection is gone: it may yet be run. */
  #lose({ written, isUnknown }: Effect): void {
    const { coherence } = this.#parts.shared
    if (isUnknown) coherence.answeredUnknown(this.#parts.reader)
    if (written !== undefined) coherence.lost(written)
  }

  /** The reply of a write is here, or never will be. */
  done({ written, isUnknown }: Effect): void {
    const { coherence } = this.#parts.shared
    if (isUnknown) coherence.answeredUnknown(this.#parts.reader)
    if (written !== undefined) coherence.answered(written)
  }

  #write(effect: Effect, isBlocking: boolean): void {
    const { pending } = this.#parts
    this.#begun(effect)
    pending.push(isBlocking ? EXPECT.wakeWrite : EXPECT.write, effect)
  }

  #effectOf(frame: RequestScanner, rule: CommandRule): Effect {
    if (rule.effect === 'read' || rule.effect === 'none' || rule.effect === 'state') return NO_EFFECT
    const words = this.#words.of(frame)
    const isTeaching = teaches(rule, words)
    if (rule.effect === 'everything') return { written: 'everything', isUnknown: false, teaches: true, live: [] }
    const { indexes, isComplete } = keysOf(rule, words, this.#places)
    const hashes = indexes.map((index) => words.hash(index))
    const written: Written | undefined = hashes.length === 1 ? hashes[0] : hashes.length === 0 ? undefined : hashes
    return { written, isUnknown: !isComplete, teaches: isTeaching || !isComplete, live: isLive(rule, words) ? hashes : [] }
  }

  /** @returns whether the request was sent as a reading that may be kept */
  #read(frame: RequestScanner, rule: CommandRule): boolean {
    const { shared, reader, pending, state } = this.#parts
    if (
      pending.size > MAX_FILLING ||
      !state.isPlain ||
      !frame.isExact ||
      frame.isInline ||
      frame.end - frame.start > MAX_REQUEST_BYTES
    )
      return false
    const words = this.#words.of(frame)
    const { indexes } = keysOf(rule, words, this.#places)
    if (indexes.length > MAX_READING_KEYS) return false
    const fill = shared.coherence.begin(
      reader,
      indexes.map((index) => words.hash(index)),
      this.#now,
    )
    const { partition } = this
    if (fill === undefined || partition < 0) return false
    const request = Buffer.from(frame.bytes.subarray(frame.start, frame.end))
    const reading = new Reading({ fill, request, partition, maxBytes: shared.maxReplyBytes })
    shared.counts.misses += 1
    pending.push(EXPECT.fill, reading)
    this.#send(frame)
    this.#endRun()
    const { out } = this.#parts
    for (const index of indexes) {
      pending.push(EXPECT.ttl, reading)
      out.put(PTTL, 0, PTTL.length)
      // The key as it stands in the request, with its length before it and its end behind.
      out.put(frame.bytes, (frame.ends[index - 1] as number) + 2, (frame.ends[index] as number) + 2)
    }
    return true
  }

  /** Adds to the run of bytes that leave as they are. */
  #send({ bytes, start, end }: Pick<RequestScanner, 'bytes' | 'start' | 'end'>): void {
    if (bytes !== this.#bytes || start !== this.#runEnd) {
      this.#endRun()
      this.#bytes = bytes
      this.#runStart = start
    }
    this.#runEnd = end
  }

  #endRun(): void {
    if (this.#runEnd > this.#runStart) this.#parts.out.put(this.#bytes, this.#runStart, this.#runEnd)
    this.#runStart = this.#runEnd
  }
}

/** Whether the key is the first argument, and the only one. */
function hasOneKey({ keys }: CommandRule): boolean {
  const [spec] = keys
  if (keys.length !== 1 || spec === undefined || spec.isIncomplete) return false
  const { begin, find } = spec
  return begin !== 'unknown' && 'index' in begin && begin.index === 1 && find !== 'unknown' && 'last' in find && find.last === 0
}
