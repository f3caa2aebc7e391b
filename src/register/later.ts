/**
 * Hits of several keys, and hits that wait until memory has followed what their reader was told.
 *
 * Floor 5, room register.
 */
import { type Lane, MISS, WAIT } from './lane.ts'
import type { Entry } from './shelf.ts'
import { GET } from './view.ts'

/** The hit once memory has followed; else what the client does. @param pass asks the server */
export function later(lane: Lane, pass: () => unknown, shown: (found: unknown) => unknown = same): Promise<unknown> {
  const entry = lane.found as Entry
  return new Promise((resolve) => {
    lane.wait((isProven) => {
      const found = isProven ? lane.take(entry) : MISS
      resolve(found === MISS || found === WAIT ? lane.passing(pass) : shown(found))
    })
  })
}

/** What MGET answers from keys that were each read by GET and still stand together. @returns undefined where one is missing */
export function takeAll(lane: Lane, keys: readonly unknown[]): unknown[] | undefined {
  const drawer = lane.view?.drawers[GET]
  if (drawer === undefined || keys.length === 0) return undefined
  const values: unknown[] = []
  const knownBefore = lane.reader.watermark
  for (const key of keys) {
    const entry = typeof key === 'string' ? drawer.get(key) : undefined
    const found = entry === undefined ? MISS : lane.take(entry)
    if (found === MISS || found === WAIT) return undefined
    values.push(found)
  }
  // One of them is newer than the others are known to stand: together they may never have stood.
  return lane.reader.watermark === knownBefore ? values : undefined
}

function same(found: unknown): unknown {
  return found
}
