/**
 * What a URL stands for in the store: its key, and the tag that its other keys bear.
 *
 * Floor 4, room http. A response whose key is the URL alone is named by that key; one with dimensions, with content, or
 * found by No-Vary-Search bears the URL's tag, so that a purge or an unsafe method reaches all of them.
 */
import { hash } from 'node:crypto'
import { targetKey } from '../key/key.ts'
import { ForecacheError } from '../model/errors.ts'
import type { RequestHead } from '../model/exchange.ts'
import { Fields } from '../model/fields.ts'
import type { Target } from '../model/log.ts'
import type { Policy } from './policy.ts'
import type { Desk } from './visit.ts'

const MAX_TAG_CHARS = 1000
const NO_FIELDS = Fields.from()

/** The tag of a URL, by its target key. */
export function urlTag(target: string): string {
  const tag = `url:${target}`
  return tag.length <= MAX_TAG_CHARS ? tag : `url:${hash('sha256', target, 'hex')}`
}

/** The tag of everything that No-Vary-Search lets other URLs of one path find. */
export function searchTags(head: Pick<RequestHead, 'scheme' | 'authority' | 'target'>, policy: Policy): string[] {
  const question = head.target.indexOf('?')
  const target = question < 0 ? head.target : head.target.slice(0, question)
  const key = targetKey({ ...head, target, method: 'GET', fields: NO_FIELDS }, policy.key)
  return key === undefined ? [] : [`search:${urlTag(key).slice(4)}`]
}

/** What invalidating a URL names; empty when no stored response can have it. */
export function urlTargets(desk: Desk, head: Pick<RequestHead, 'scheme' | 'authority' | 'target'>): Target[] {
  const { policy } = desk.policies.match('GET', head.target)
  const keys = new Set<string>()
  const full = { ...head, method: 'GET', fields: NO_FIELDS }
  for (const key of [targetKey(full, policy.key), targetKey(full)]) if (key !== undefined) keys.add(key)
  const named = [...keys].flatMap((key): Target[] => [
    { kind: 'key', key },
    { kind: 'tag', tag: urlTag(key) },
  ])
  return [...named, ...searchTags(head, policy).map((tag): Target => ({ kind: 'tag', tag }))]
}

/**
 * The scheme, authority and target of an absolute URL, spelled as requests have them.
 *
 * @throws FC_OPTION_VALUE for anything but an absolute http or https URL: a path alone does not say which host is meant
 */
export function parseUrl(url: string): Pick<RequestHead, 'scheme' | 'authority' | 'target'> {
  const match = /^(https?):\/\/([^/?#\s]+)([^#\s]*)(?:#\S*)?$/i.exec(url)
  if (match === null)
    throw new ForecacheError('FC_OPTION_VALUE', {
      name: 'urls',
      reason: `expected an absolute URL such as http://shop.example/api/products, given ${url}`,
    })
  const scheme = (match[1] as string).toLowerCase() === 'https' ? 'https' : 'http'
  const authority = (match[2] as string).toLowerCase().replace(scheme === 'https' ? /:443$/ : /:80$/, '')
  const target = match[3] as string
  return { scheme, authority, target: target.startsWith('/') ? target : `/${target}` }
}
