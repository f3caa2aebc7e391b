/**
 * What a handler is shown of the request that the door asks its origin.
 *
 * Floor 4, room http. Conditions and ranges that are the door's own are left out: a handler runs once and must answer in
 * full. The language and coding that a key policy chose stand in place of the client's lists.
 */
import type { IncomingMessage } from 'node:http'
import type { RequestHead } from '../model/exchange.ts'

/** Fields by which a client, or a cache, asks for less than the whole. */
export const CONDITIONAL_FIELDS = [
  'if-none-match',
  'if-modified-since',
  'if-match',
  'if-unmodified-since',
  'if-range',
  'range',
] as const

/** Fields in whose place a key policy asks for what it chose. */
const CHOSEN_FIELDS = ['accept-language', 'accept-encoding'] as const

/** Changes a request's headers to what the door asks. @returns a function that puts the client's own back */
export function showHead(req: IncomingMessage, own: RequestHead, asked: RequestHead): () => void {
  const { headers } = req
  const before: [string, string | undefined][] = []
  const show = (name: string, value: string | undefined): void => {
    before.push([name, headers[name] as string | undefined])
    put(headers, name, value)
  }
  for (const name of CONDITIONAL_FIELDS) {
    const value = own.fields.get(name)
    if (value !== undefined && asked.fields.get(name) !== value) show(name, undefined)
  }
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
