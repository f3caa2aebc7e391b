/**
 * Route policies by method and path.
 *
 * Floor 1, room key. Patterns of find-my-way (`/api/products/:id`, `/static/*`); the path is matched as the origin sees
 * it. A path that servers read differently (encoded slash or backslash, dot segments, `//`, `;`, controls) matches no
 * policy: what is declared for one resource is never applied to another. Costs about 200 ns.
 */
import FindMyWay from 'find-my-way'
import { ForecacheError } from '../model/errors.ts'

/** One policy's match. */
export interface RouteRule {
  /** Methods; default GET, HEAD and QUERY. */
  readonly methods?: readonly string[] | undefined
  /** find-my-way's pattern. */
  readonly path: string
}

/** What matched: the rule's index and the decoded parameters of the path. */
export interface RouteMatch {
  readonly index: number
  readonly params: Readonly<Record<string, string>>
}

/** See `createRoutes`. */
export interface Routes {
  /** @param target as received, undecoded, with or without query */
  match(method: string, target: string): RouteMatch | undefined
}

const READ_METHODS = ['GET', 'HEAD', 'QUERY']

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const AMBIGUOUS = /\/\/|\/\.\.?(?:\/|$)|[;\\#\u0000-\u0020\u007f]|%(?:2e|2f|5c|3b|25|23|3f|0\w|1\w|7f)/i

/** @throws FC_OPTION_VALUE for a pattern that does not parse, or one that two rules share */
export function createRoutes(rules: readonly RouteRule[]): Routes {
  const router = FindMyWay({ caseSensitive: true, maxParamLength: 2048 })
  const methods = new Set(rules.flatMap((rule) => rule.methods ?? READ_METHODS))
  rules.forEach((rule, index) => {
    for (const method of rule.methods ?? READ_METHODS) add(router, method, { path: rule.path, index })
  })
  return {
    match(method, target) {
      if (!methods.has(method) || isAmbiguousPath(target)) return undefined
      const found = router.find(method as FindMyWay.HTTPMethod, target)
      if (found === null) return undefined
      const params = found.params as Record<string, string>
      for (const name in params) if (params[name] === '' && name !== '*') return undefined // `/products/` is not a product
      return { index: (found.store as { index: number }).index, params }
    },
  }
}

/** Names of the parameters in a pattern; `*` for a wildcard. */
export function patternParams(path: string): string[] {
  const names = [...path.matchAll(/:([A-Za-z0-9_]+)/g)].map((match) => match[1] as string)
  return path.endsWith('*') ? [...names, '*'] : names
}

/** Whether servers are known to disagree about what a path means. */
export function isAmbiguousPath(target: string): boolean {
  const question = target.indexOf('?')
  const path = question < 0 ? target : target.slice(0, question)
  return AMBIGUOUS.test(path) || path.charCodeAt(0) !== 0x2f
}

function add(router: FindMyWay.Instance<FindMyWay.HTTPVersion.V1>, method: string, rule: { path: string; index: number }): void {
  try {
    router.on(method as FindMyWay.HTTPMethod, rule.path, () => {}, { index: rule.index })
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ForecacheError('FC_OPTION_VALUE', { name: 'match', reason: `${method} ${rule.path}: ${reason}` }, { cause })
  }
}
