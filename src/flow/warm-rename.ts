/**
 * Keys of a namespace's former version, as they are called now.
 *
 * Floor 3, room flow.
 */

const VERSIONED = /^([A-Za-z0-9_.-]{1,128}):v\d+:/

/** @param versions current version of each declared namespace */
export function currentKey(versions: ReadonlyMap<string, number>, key: string): string {
  const match = versions.size === 0 ? null : VERSIONED.exec(key)
  const version = match === null ? undefined : versions.get(match[1] as string)
  return match === null || version === undefined ? key : `${match[1]}:v${version}:${key.slice(match[0].length)}`
}
