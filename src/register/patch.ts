/**
 * Puts a method of ours in the place of a client's, unseen: same name, same length, not enumerable where it was not.
 *
 * Floor 5, room register. The original is the wrapper's business; instrumentation may wrap either of them again.
 */

/** @param made takes the place of `owner[name]` */
export function patch(owner: object, name: string, made: (...args: never[]) => unknown): void {
  const former = Object.getOwnPropertyDescriptor(owner, name)
  const original: unknown = (owner as Record<string, unknown>)[name]
  if (typeof original === 'function') {
    Object.defineProperty(made, 'name', { value: original.name, configurable: true })
    Object.defineProperty(made, 'length', { value: original.length, configurable: true })
  }
  const isEnumerable = former?.enumerable ?? true
  Object.defineProperty(owner, name, { value: made, writable: true, configurable: true, enumerable: isEnumerable })
}
