/**
 * A log's store behind a gate: while it is shut nothing goes through, in either direction, and nothing says so.
 */
import type { Acknowledgement, Appended, Heard, LogRow, LogStore, Proof } from '../../src/tier/log-store.ts'

/** See the module's header. */
export class LogGate implements LogStore {
  readonly #store: LogStore
  readonly #delayMs: () => number
  isShut = false

  /** @param delayMs how long what was heard by listening is held back */
  constructor(store: LogStore, delayMs: () => number = () => 0) {
    this.#store = store
    this.#delayMs = delayMs
  }

  get member(): string {
    return this.#store.member
  }

  prove(deadlineMs: number): Promise<Proof> {
    return this.#through(deadlineMs, () => this.#store.prove(deadlineMs))
  }

  append(generation: string, texts: readonly string[], deadlineMs: number): Promise<Appended> {
    return this.#through(deadlineMs, () => this.#store.append(generation, texts, deadlineMs))
  }

  read(after: number, limit: number, deadlineMs: number): Promise<readonly LogRow[]> {
    return this.#through(deadlineMs, () => this.#store.read(after, limit, deadlineMs))
  }

  async listen(after: number, waitMs: number): Promise<Heard> {
    const heard = await this.#through(waitMs * 2, () => this.#store.listen(after, waitMs))
    const delayMs = this.#delayMs()
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs))
    return heard
  }

  redial(): void {
    this.#store.redial()
  }

  acknowledge(to: ReadonlyMap<string, Acknowledgement>, deadlineMs: number): Promise<void> {
    return this.#through(deadlineMs, () => this.#store.acknowledge(to, deadlineMs))
  }

  onBack(run: () => void): () => void {
    return this.#store.onBack(run)
  }

  leave(deadlineMs: number): Promise<void> {
    return this.#store.leave(deadlineMs)
  }

  async #through<T>(deadlineMs: number, call: () => Promise<T>): Promise<T> {
    const late = (): Promise<never> =>
      new Promise((_, reject) => setTimeout(() => reject(new Error('no answer in time')), deadlineMs))
    if (this.isShut) return late()
    const answer = await call()
    return this.isShut ? late() : answer
  }
}
