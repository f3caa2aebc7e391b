/**
 * What a handler is shown of the request that the door asks its origin.
 *
 * Floor 4, room http. Conditions and ranges that are the door's own are left out: a handler runs once and must answer in
 * full. The language and coding that a key policy chose stand in place of the client's lists.
 */
import type { IncomingMessage } from 'node:http'
import type { RequestHead } from '../model/exchange.ts'
import { originMatch, originNoneMatch } from '../rules/variant-tag.ts'

/** Fields by which a client, or a cache, asks for less than the whole. */
const CONDITIONAL_FIELDS = ['if-none-match', 'if-modified-since', 'if-match', 'if-unmodified-since', 'if-range', 'range'] as const

type ConditionalField = (typeof CONDITIONAL_FIELDS)[number]

/** Fields in whose place a key policy asks for what it chose. */
const CHOSEN_FIELDS = ['accept-language', 'accept-encoding'] as const

/** Conditions of the client's that the handler is not to see as they are. */
export function changedConditions(own: RequestHead, asked: RequestHead): ConditionalField[] {
  return CONDITIONAL_FIELDS.filter((name) => own.fields.has(name) && asked.fields.get(name) !== own.fields.get(name))
}

/** What he is to see instead: the client's own, by the tags that the handler gave, or nothing. */
export function shownCondition(name: ConditionalField, own: RequestHead, asked: RequestHead): string | undefined {
  const value = own.fields.get(name) ?? ''
  const translated = name === 'if-match' ? originMatch(value) : name === 'if-none-match' ? originNoneMatch(value) : undefined
  return asked.fields.get(name) === translated ? translated : undefined
}

/** Changes a request's headers to what the door asks. @returns a function that puts the client's own back */
export function showHead(req: IncomingMessage, own: RequestHead, asked: RequestHead): () => void {
  const { headers } = req
  const before: [string, string | undefined][] = []
  const show = (name: string, value: string | undefined): void => {
    before.push([name, headers[name] as string | undefined])
    put(headers, name, value)
  }
  for (const name of changedConditions(own, asked)) show(name, shownCondition(name, own, asked))
  for (const name of CHOSEN_FIELDS) {
    const value = asked.fields.get(name)
    if (value !== undefined && value !== own.fields.get(name)) show(name, value)
  }
  return () => {
    for (const [name, value] of before) put(headers, name, value)
  }
}

function put(headers: IncomingMessage['headers'], name: string, value: string | undefined): void {
  if (value === undefined) delete headers[name]
  else headers[name] = value
}
