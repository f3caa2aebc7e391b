/**
 * Waiting for work within one caller's deadlines; the work itself goes on.
 *
 * Floor 3, room flow.
 */
import type { Clock } from '../model/clock.ts'
import { ForecacheError } from '../model/errors.ts'

/** Deadlines of one waiting caller. */
export interface Within<T> {
  readonly key: string
  /** After this long `soft` is asked for an answer; undefined keeps waiting. */
  readonly softMs?: number | undefined
  readonly soft?: (() => T | undefined) | undefined
  readonly hardMs: number
  readonly signal?: AbortSignal | undefined
}

/** @throws FC_LOAD_TIMEOUT after hardMs, the signal's reason when it is aborted, else what the work throws */
export function waitWithin<T>(clock: Clock, work: Promise<T>, within: Within<T>): Promise<T> {
  const { key, softMs, soft, hardMs, signal } = within
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => end(() => reject(signal?.reason))
    const softly = (): void => {
      const answer = soft?.()
      if (answer !== undefined) end(() => resolve(answer))
    }
    const softTimer = softMs === undefined || soft === undefined || softMs >= hardMs ? undefined : clock.after(softMs, softly)
    const hardTimer = clock.after(hardMs, () => end(() => reject(new ForecacheError('FC_LOAD_TIMEOUT', { key, ms: hardMs }))))
    const end = (settle: () => void): void => {
      softTimer?.cancel()
      hardTimer.cancel()
      signal?.removeEventListener('abort', abort)
      settle()
    }
    work.then(
      (value) => end(() => resolve(value)),
      (error: unknown) => end(() => reject(error)),
    )
    if (signal?.aborted === true) abort()
    else signal?.addEventListener('abort', abort, { once: true })
  })
}
