/**
 * Policies of fresh windows over a trace whose keys change: one window for all, forecache's, and the clairvoyant's.
 */
import type { AdaptiveSettings } from '../../src/flow/adaptive-options.ts'
import { ChangeBook, isNear } from '../../src/flow/change-book.ts'
import { chooseWindow } from '../../src/flow/choose-window.ts'
import { noteChange, readChange } from '../../src/shelf/change-word.ts'
import type { Timed } from '../predict/replay.ts'

/** What came of it, after learning. */
export interface Outcome {
  readonly requests: number
  readonly loads: number
  /** Answers from memory that had changed since they were read. */
  readonly changed: number
}

/** How long something is fresh that was read now. */
interface Windows {
  /** @param hasChanged against what stood; undefined: nothing did */
  windowOf(id: number, hasChanged: boolean | undefined, gapMs: number): number
}

/** The same window for all. */
export class Flat implements Windows {
  readonly #ms: number

  constructor(ms: number) {
    this.#ms = ms
  }

  windowOf(): number {
    return this.#ms
  }
}

/** The product's own: a word for each key, one book for all, since a trace tells no routes. */
export class Chosen implements Windows {
  readonly #words: Int32Array
  readonly #windowMs: Float64Array
  readonly #book = new ChangeBook()
  readonly #wish: Parameters<typeof chooseWindow>[1]

  constructor(distinct: number, settings: AdaptiveSettings, promise: { readonly freshMs: number; readonly staleMs: number }) {
    this.#words = new Int32Array(distinct)
    this.#windowMs = new Float64Array(distinct)
    this.#wish = { settings, promisedMs: promise.freshMs, latestMs: promise.staleMs }
  }

  windowOf(id: number, hasChanged: boolean | undefined, gapMs: number): number {
    const former = this.#windowMs[id] as number
    if (hasChanged !== undefined && gapMs > 0) {
      this.#words[id] = noteChange(this.#words[id] as number, hasChanged, gapMs)
      this.#book.learn({ hasChanged, gapMs, isNear: isNear(gapMs, former) })
    }
    const { freshMs } = chooseWindow({ key: readChange(this.#words[id] as number), route: this.#book }, this.#wish)
    this.#windowMs[id] = freshMs
    return freshMs
  }
}

/** @param how `versions`: what each request would get of the origin; `from`: share of the trace that is learned on and not judged */
export function replayWindows(
  { ids, atMs, distinct }: Timed,
  windows: Windows,
  how: { readonly versions: Int32Array; readonly from: number },
): Outcome {
  const endMs = new Float64Array(distinct).fill(Number.NEGATIVE_INFINITY)
  const readMs = new Float64Array(distinct)
  const held = new Int32Array(distinct).fill(-1)
  const first = Math.floor(ids.length * how.from)
  let [loads, changed] = [0, 0]
  for (let i = 0; i < ids.length; i += 1) {
    const [id, now] = [ids[i] as number, atMs[i] as number]
    const version = how.versions[i] as number
    if (now < (endMs[id] as number)) {
      if (i >= first && held[id] !== version) changed += 1
      continue
    }
    const hasChanged = held[id] === -1 ? undefined : held[id] !== version
    endMs[id] = now + windows.windowOf(id, hasChanged, now - (readMs[id] as number))
    held[id] = version
    readMs[id] = now
    if (i >= first) loads += 1
  }
  return { requests: ids.length - first, loads, changed }
}

/** Who is told of every change, and of nothing else: loads only what is new, and never serves what has changed. */
export function replayTold(timed: Timed, how: { readonly versions: Int32Array; readonly from: number }): Outcome {
  const { ids, distinct } = timed
  const held = new Int32Array(distinct).fill(-1)
  const first = Math.floor(ids.length * how.from)
  let loads = 0
  for (let i = 0; i < ids.length; i += 1) {
    const id = ids[i] as number
    const version = how.versions[i] as number
    if (held[id] !== version && i >= first) loads += 1
    held[id] = version
  }
  return { requests: ids.length - first, loads, changed: 0 }
}
