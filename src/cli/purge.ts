/**
 * `forecache purge`: invalidates keys, tags, URLs, prefixes or namespaces of a running forecache.
 *
 * Floor 6, room cli.
 */
import { ForecacheError } from '../model/errors.ts'
import { type ApiPlace, callApi } from './api.ts'
import type { Io } from './io.ts'

/** What to invalidate; each list may be empty, not all of them. */
export interface PurgeWish extends ApiPlace {
  readonly key: readonly string[]
  readonly tag: readonly string[]
  readonly url: readonly string[]
  readonly prefix: readonly string[]
  readonly namespace: readonly string[]
  /** Makes stale instead of removing. */
  readonly soft: boolean
  /** Counts, changes nothing. */
  readonly dryRun: boolean
  readonly json: boolean
}

/** @returns the exit code @throws FC_CLI_USAGE, FC_CLI_API */
export async function runPurge(wish: PurgeWish, io: Io): Promise<number> {
  const lists = { keys: wish.key, tags: wish.tag, urls: wish.url, prefixes: wish.prefix, namespaces: wish.namespace }
  const named = Object.entries(lists).filter(([, list]) => list.length > 0)
  if (named.length === 0) {
    throw new ForecacheError('FC_CLI_USAGE', {
      reason: 'purge: name something with --key, --tag, --url, --prefix or --namespace',
    })
  }
  const body = { ...Object.fromEntries(named), ...(wish.soft && { soft: true }), ...(wish.dryRun && { dryRun: true }) }
  const answer = await callApi(wish, '/v1/invalidate', body)
  io.out(wish.json ? JSON.stringify(answer) : describe(answer, wish))
  return 0
}

function describe(answer: unknown, wish: PurgeWish): string {
  const { matched, token, nodes } = answer as {
    matched?: unknown
    token?: unknown
    nodes?: { expected?: number; acknowledged?: number }
  }
  const count = `${matched ?? 'an unknown number of'} ${matched === 1 ? 'entry' : 'entries'}`
  if (wish.dryRun) return `would ${wish.soft ? 'make stale' : 'remove'} ${count}; nothing was changed`
  const acknowledged = nodes === undefined ? '' : `, ${nodes.acknowledged} of ${nodes.expected} instances acknowledged`
  return `${wish.soft ? 'made stale' : 'removed'} ${count}${acknowledged}; token ${token}`
}
