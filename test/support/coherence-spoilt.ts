/**
 * Copies of the core, and of a door, each with one rule taken out: what random schedules have to notice.
 */
import { Coherence, type Life, type Written } from '../../src/resp/coherence.ts'
import type { Fill } from '../../src/resp/coherence-fill.ts'
import type { FencePort } from '../../src/resp/coherence-lease.ts'
import type { Reader } from '../../src/resp/coherence-reader.ts'
import type { ScheduleOptions } from './coherence-schedule.ts'

/** All rules in place. */
export const SOUND: ScheduleOptions = {
  causality: 'session',
  spoilt: 'nothing',
  isClustered: false,
  isThreaded: false,
  create: (parts) => new Coherence(parts),
}

/** Nothing is asked of the token, the marks or the writes under way when something is kept. */
class WithoutToken extends Coherence {
  override keeps(fill: Fill): boolean {
    return !fill.isVoid && this.isOn
  }
  override stands(hash: number, token: number): boolean {
    return token > 1_000_000_000 || super.stands(hash, token)
  }
}

class WithoutMarkWhenSent extends Coherence {
  readonly #sent = new Set<Written>()
  override forwarded(written: Written): void {
    this.#sent.add(written)
  }
  override answered(written: Written): void {
    super.forwarded(written)
    super.answered(written)
  }
}

class WithoutMarkAtReply extends Coherence {
  override forwarded(written: Written): void {
    super.forwarded(written)
    super.answered(written)
  }
  override answered(): void {}
}

class WithoutWritesUnderWay extends Coherence {
  override forwarded(written: Written): void {
    super.forwarded(written)
    super.answered(written)
  }
  override answered(written: Written): void {
    super.forwarded(written)
    super.answered(written)
  }
}

class WithoutUnknown extends Coherence {
  override forwardedUnknown(): void {}
  override answeredUnknown(): void {}
}

class WithoutLearning extends Coherence {
  override learned(): number {
    return 0
  }
}

/** The fence under way is taken for one that was sent behind the reply. */
class WithEarlyFence extends Coherence {
  override learned(reader: Reader): number {
    const fence = super.learned(reader)
    if (reader.watermark > 0) reader.watermark -= 1
    return fence
  }
}

class WithoutFencesOfEntries extends Coherence {
  override served(): boolean {
    return false
  }
}

class WithoutFlush extends Coherence {
  override invalidateAll(): void {}
}

/** What was kept in one life of the tracking connection is told in the next. */
class WithoutLives extends Coherence {
  #from = 0
  override opened(port: FencePort, life: Life): void {
    super.opened(port, life)
    this.#from = this.state().changes
  }
  override stands(hash: number, token: number): boolean {
    return super.stands(hash, Math.max(token, this.#from))
  }
}

class WithoutCluster extends Coherence {
  override opened(port: FencePort, life: Life): void {
    super.opened(port, { ...life, isClustered: false })
  }
}

class WithoutRedirections extends WithoutCluster {
  override redirected(): void {}
}

/** Threads of the server are not reckoned with. */
class WithSingleFences extends Coherence {
  override opened(port: FencePort, life: Life): void {
    super.opened(port, { ...life, isThreaded: false })
  }
}

class WithoutPatience extends Coherence {
  override lost(written: Written): void {
    this.answered(written)
  }
}

class WithoutHolding extends Coherence {
  override learned(reader: Reader): number {
    super.learned(reader)
    return 0
  }
}

/** What is missing, and the copy without it. */
export const SPOILT: readonly (readonly [string, Partial<ScheduleOptions>])[] = [
  ['the token is not looked at', { spoilt: 'stored unseen', create: (parts) => new WithoutToken(parts) }],
  ['a promise lies between reply and store', { spoilt: 'late store' }],
  ['writes are not marked when they are sent', { create: (parts) => new WithoutMarkWhenSent(parts) }],
  ['writes are not marked when their reply is here', { create: (parts) => new WithoutMarkAtReply(parts) }],
  ['something is kept under a write that is under way', { create: (parts) => new WithoutWritesUnderWay(parts) }],
  ['commands of unknown effect count for nothing', { create: (parts) => new WithoutUnknown(parts) }],
  ['nobody learns from the upstream', { create: (parts) => new WithoutLearning(parts) }],
  ['a fence sent before the reply counts', { create: (parts) => new WithEarlyFence(parts) }],
  ['nobody learns from memory', { create: (parts) => new WithoutFencesOfEntries(parts) }],
  ['a flush by others is not heard', { create: (parts) => new WithoutFlush(parts) }],
  ['a lost connection voids nothing', { create: (parts) => new WithoutLives(parts) }],
  ['the lease never runs out', { create: (parts) => new Coherence({ ...parts, maxStaleMs: 60_000 }) }],
  ['times to live are not asked for', { spoilt: 'no time' }],
  ['absence is kept in a cluster', { isClustered: true, create: (parts) => new WithoutCluster(parts) }],
  ['redirections are not heeded', { isClustered: true, create: (parts) => new WithoutRedirections(parts) }],
  ['a lost SWAPDB is over at once', { create: (parts) => new WithoutPatience(parts) }],
  ['one fence is enough for a server with threads', { isThreaded: true, create: (parts) => new WithSingleFences(parts) }],
  ['a question is joined by whoever comes', { spoilt: 'join whatever' }],
  ['strict replies are not held', { causality: 'strict', create: (parts) => new WithoutHolding(parts) }],
]

/** The same for the library beside the door. */
export const SPOILT_LIBRARY: readonly (readonly [string, Partial<ScheduleOptions>])[] = [
  ['invalidations of the log do not reach the door', { library: 'deaf' }],
  ['they reach it later than they are told of', { library: 'late word' }],
  ['tags are not remembered', { library: 'no tags' }],
  ["tags that gave way are nobody's", { library: 'forgetful' }],
  ['who peeks is not taught what his own client was told', { library: 'untaught' }],
  ['the token is not looked at', { library: 'nothing', spoilt: 'stored unseen', create: (parts) => new WithoutToken(parts) }],
  ['writes are not marked when they are sent', { library: 'nothing', create: (parts) => new WithoutMarkWhenSent(parts) }],
  ['a question is joined by whoever comes', { library: 'nothing', spoilt: 'join whatever' }],
]
