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
  for (const name of Object.keys(after) as (keyof Config)[]) {
    if (name === 'api') {
      for (const part of Object.keys(after.api) as (keyof Config['api'])[]) {
        if (!isDeepStrictEqual(before.api[part], after.api[part])) changed.push(`api.${part}`)
      }
    } else if (!isDeepStrictEqual(before[name], after[name])) {
      changed.push(name)
    }
  }
  return changed
}
