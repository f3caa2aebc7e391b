/**
 * Deep freezing: what one reader changes must not change for the next one.
 *
 * Floor 3, room flow. Walks every member once; values frozen already are left as they are.
 */

/** Objects that change though they are frozen, and the methods that do it. */
const CHANGED_BY = [
  [Map, ['set', 'delete', 'clear']],
  [Set, ['add', 'delete', 'clear']],
  [Date, Object.getOwnPropertyNames(Date.prototype).filter((name) => name.startsWith('set'))],
] as const

/** @returns false when something in it cannot be frozen (RegExp, buffers): readers then get copies */
export function freezeDeep(root: unknown): boolean {
  const pending: unknown[] = [root]
  while (pending.length > 0) {
    const value = pending.pop()
    if (typeof value !== 'object' || value === null || Object.isFrozen(value)) continue
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof RegExp) return false
    for (const [kind, names] of CHANGED_BY)
      if (value instanceof kind) for (const name of names) Object.defineProperty(value, name, { value: refuseChange })
    Object.freeze(value)
    if (value instanceof Map) for (const [k, v] of value) pending.push(k, v)
    else if (value instanceof Set) pending.push(...value)
    for (const member of Object.values(value)) pending.push(member)
  }
  return true
}

function refuseChange(): never {
  throw new TypeError('a cached value is read-only: copy it before changing it')
}
