/**
 * Sets what an analysis found against the truth of a made log: each parameter, and the hit ratio that the cache itself reaches
 * with the configuration that was written.
 */
import type { Access } from '../../src/advice/access.ts'
import type { Report } from '../../src/advice/report.ts'
import { createCache } from '../../src/flow/cache.ts'
import { requestKey } from '../../src/key/key.ts'
import { parseKeyPolicy } from '../../src/key/policy.ts'
import { Fields } from '../../src/model/fields.ts'
import { createVirtualClock } from '../../src/model/virtual-clock.ts'
import { parseConfig } from '../../src/server/config.ts'
import type { MadeLog } from './made-log.ts'
import type { MadeParameter, MadeRoute } from './made-routes.ts'

/** One parameter that was found otherwise, or not found out. */
export interface Mistake {
  readonly route: string
  readonly name: string
  readonly truth: string
  readonly found: string
  readonly evidence: string
}

/** Requests that got the same answer as one before, and of those with another value: with fewer nobody could tell. */
const MIN_HELD = 1000
const MIN_VARIED = 200
/** What a response has beside its body, about. */
const HEAD_BYTES = 384

/** @returns parameters judged, those that nobody could have told, and those judged wrong */
export function judgeParameters(report: Report, log: MadeLog): { judged: number; left: number; mistakes: Mistake[] } {
  const mistakes: Mistake[] = []
  let [judged, left] = [0, 0]
  const shown = showing(log)
  for (const route of log.routes) {
    const { pattern, parameters, isPersonal } = route
    const found = report.routes.find((one) => one.pattern === pattern)
    const { held, varied, contents } = shown.get(route) as Shown
    const isToldApart = found?.signal === 'digest' || contents.size > 2 // one size says nothing
    if (found === undefined) mistakes.push({ route: pattern, name: '(route)', truth: 'route', found: 'nothing', evidence: '' })
    if (found === undefined) continue
    const truths = parameters.map((one, at) => ({
      name: nameOf(one),
      truth: one.isDeciding ? 'deciding' : 'irrelevant',
      isShown:
        isToldApart && held >= MIN_HELD && (varied[at] as number) >= MIN_VARIED && !(isPersonal && one.values === 'client'),
    }))
    if (isPersonal) truths.push({ name: 'user', truth: 'deciding', isShown: held >= MIN_HELD })
    for (const { name, truth, isShown } of truths) {
      const dimension = found.dimensions.find((one) => one.name === name)
      const verdict = dimension?.verdict ?? 'nothing'
      if (!isShown && (verdict === 'unclear' || verdict === 'nothing')) left += 1
      else judged += 1
      if (verdict === truth || (!isShown && (verdict === 'unclear' || verdict === 'nothing'))) continue
      mistakes.push({ route: pattern, name, truth, found: verdict, evidence: JSON.stringify(dimension?.evidence ?? {}) })
    }
  }
  return { judged, left, mistakes }
}

/** What a log shows of a route to whoever knows everything. */
interface Shown {
  /** Requests with the same answer as the one before for the same. */
  held: number
  /** By parameter: those of them with another value than the last one's, of that path or, if it does not matter, of that answer. */
  readonly varied: number[]
  readonly contents: Map<number, readonly string[]>
  readonly last: Map<string, readonly string[]>
}

function showing(log: MadeLog): Map<MadeRoute, Shown> {
  const shown = new Map<MadeRoute, Shown>()
  for (const route of log.routes)
    shown.set(route, { held: 0, varied: route.parameters.map(() => 0), contents: new Map(), last: new Map() })
  for (const { route, values, content, target, status, method } of log.requests()) {
    if (status !== 200 || method !== 'GET') continue
    const known = shown.get(route) as Shown
    const path = target.split('?', 1)[0] as string
    const last = known.last.get(path)
    known.last.set(path, values)
    const same = known.contents.get(content)
    known.contents.set(content, values)
    if (same === undefined) continue
    known.held += 1
    for (const [at, value] of values.entries()) {
      const former = route.parameters[at]?.isDeciding ? last?.[at] : same[at]
      if (former !== value) known.varied[at] = (known.varied[at] as number) + 1
    }
  }
  return shown
}

function nameOf({ name }: MadeParameter): string {
  return name.startsWith('?utm_') ? '?(tracking)' : name
}

/** The log again, through the cache, with the keys and budgets that the configuration says. @returns share of all reads */
export async function replayReally(report: Report, requests: Iterable<Access>, maxBytes: number): Promise<number> {
  const clock = createVirtualClock()
  const cache = createCache({ clock, memory: { maxBytes, maxEntryBytes: maxBytes }, values: 'reference' })
  const routes = parseConfig({ text: report.config }).routes.map((one) => ({
    ...one,
    pattern: new RegExp(`^${one.match.path.replaceAll(/:id\d*/g, '[^/]+')}$`),
    policy: parseKeyPolicy(one.key ?? {}),
  }))
  let [lastMs, reads] = [0, 0]
  for (const { target, bytes, traits, atMs, method, status } of requests) {
    if (lastMs > 0 && atMs > lastMs) await clock.advance(atMs - lastMs)
    lastMs = Math.max(lastMs, atMs)
    if (status >= 500 || method === 'POST') continue
    reads += 1
    const route = routes.find(({ pattern }) => pattern.test(target.split('?', 1)[0] as string))
    if (route === undefined || route.strict === true) continue
    const fields = Fields.from()
    for (const [name, value] of traits) {
      if (name.startsWith('header:')) fields.append(name.slice(7), value)
      if (name.startsWith('cookie:')) fields.append('cookie', `${name.slice(7)}=${encodeURIComponent(value)}`)
    }
    const key = requestKey({ method: 'GET', target, scheme: 'http', authority: 'known', fields }, route.policy)
    if (key === undefined) continue
    const value = Buffer.alloc(Math.max(1, bytes + HEAD_BYTES - key.length))
    await cache.fetch(key, { budget: route.budget as NonNullable<typeof route.budget> }, () => value)
  }
  const { hits, staleServes } = cache.stats().counts
  await cache.close()
  return (hits + staleServes) / Math.max(1, reads)
}
