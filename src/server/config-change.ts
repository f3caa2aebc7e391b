/**
 * Which sections of two configurations differ.
 *
 * Floor 5, room server. Pure. `api` is looked into, since its keys may change while its address may not.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Config } from './config-schema.ts'

/** @returns names such as `routes`, `origin`, `api.keys` */
export function changedSections(before: Config, after: Config): string[] {
  const changed: string[] = []
  for (const name of namesOf(before, after)) {
    if (name === 'api') {
      for (const part of namesOf(before.api, after.api)) {
        if (!isDeepStrictEqual(before.api[part], after.api[part])) changed.push(`api.${part}`)
      }
    } else if (!isDeepStrictEqual(before[name], after[name])) {
      changed.push(name)
    }
  }
  return changed
}

/** Names of either: a section that may be left out counts too. */
function namesOf<T extends object>(before: T, after: T): (keyof T)[] {
  return [...new Set([...Object.keys(after), ...Object.keys(before)])] as (keyof T)[]
}
