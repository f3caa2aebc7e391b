/**
 * How the door sees a request, for people: its policy, its key part by part, the variant, how what is stored stands.
 *
 * Floor 4, room http. Asks nobody, counts nothing, changes nothing.
 */
import { keyRefusal, requestKey, targetKey } from '../key/key.ts'
import type { RequestHead } from '../model/exchange.ts'
import type { KeyPart, RequestView } from '../model/explain.ts'
import type { Bypass } from '../model/reason.ts'
import { requestControl } from '../rules/reuse.ts'
import { isSafeMethod } from '../rules/unsafe.ts'
import { findVariant, viewStored } from './explain-stored.ts'
import type { Policy } from './policy.ts'
import { findBySearch } from './search.ts'
import type { Desk, KeyedVisit } from './visit.ts'

const NOBODY = {
  origin: { send: () => Promise.reject(new Error('explaining asks nobody')) },
  signal: new AbortController().signal,
}

/** What `explain` shows of a request. */
export function explainRequest(desk: Desk, head: RequestHead): RequestView {
  const routed = desk.policies.match(head.method, head.target)
  const { policy } = routed
  const primary = requestKey(head, policy.key)
  const view = { route: policy.name, parts: partsOf(head, policy) }
  const bypass = bypassOf(head, policy, primary)
  if (primary === undefined) {
    const detail = keyRefusal(head, policy.key)
    return { ...view, key: undefined, ...(bypass !== undefined && { bypass }), ...(detail !== undefined && { detail }) }
  }
  if (bypass !== undefined) return { ...view, key: primary, bypass }
  const visit: KeyedVisit = {
    desk,
    head,
    body: undefined,
    exchange: NOBODY,
    asked: requestControl(head.fields),
    routed,
    primary,
    tags: [],
  }
  const known = desk.engine.memory.look(primary) === undefined ? (findBySearch(visit) ?? visit) : visit
  const found = findVariant(desk, head, known.primary)
  const seen = { route: view.route, key: found.key, parts: [...view.parts, ...found.parts] }
  return found.stored === undefined ? seen : { ...seen, ...viewStored(known, found.stored, found.softened) }
}

function bypassOf(head: RequestHead, policy: Policy, primary: string | undefined): Bypass | undefined {
  if (!isSafeMethod(head.method) || !['GET', 'HEAD', 'QUERY'].includes(head.method)) return 'bypass-method'
  if (policy.strict) return 'bypass-strict'
  if (primary === undefined) return 'bypass-key'
  return requestControl(head.fields).noStore ? 'bypass-request' : undefined
}

function partsOf(head: RequestHead, policy: Policy): KeyPart[] {
  const { method, scheme, authority, target } = head
  const question = target.indexOf('?')
  const parts: KeyPart[] = [
    { name: 'method', value: method === 'HEAD' ? 'GET' : method, ...(method === 'HEAD' ? { note: 'HEAD shares with GET' } : {}) },
    { name: 'scheme', value: scheme },
    { name: 'authority', value: authority },
    { name: 'path', value: question < 0 ? target : target.slice(0, question) },
  ]
  if (question >= 0) parts.push(queryPart(head, policy, target.slice(question + 1)))
  for (const dimension of policy.key?.dimensions ?? []) {
    const value = dimension.read(head)
    if (value === undefined) parts.push({ name: dimension.name, value: '', note: dimension.refusal })
    else parts.push({ name: dimension.name, value: value ?? '', ...(value === null ? { note: 'absent' } : {}) })
  }
  return parts
}

function queryPart(head: RequestHead, policy: Policy, given: string): KeyPart {
  const key = targetKey(head, policy.key) ?? ''
  const question = key.indexOf('?')
  const value = question < 0 ? '' : key.slice(question + 1)
  return { name: 'query', value, ...(value === given ? {} : { note: `given as ${given}` }) }
}
