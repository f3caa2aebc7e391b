/**
 * What the native cache API says of itself, for the OpenAPI document.
 *
 * Floor 5, room server.
 */
import { z } from 'zod'
import type { AnswerText, EndpointText, ParameterText } from '../model/endpoint.ts'
import { BATCH_ANSWER, BATCH_BODY, DELETED, WRITTEN } from './cache-shapes.ts'

const KEY: ParameterText = { name: 'key', in: 'path', description: 'The key, percent-encoded (`/` as `%2F`).' }
const NAMESPACE: readonly ParameterText[] = [
  { name: 'namespace', in: 'query', description: 'Namespace of the key; default: none.' },
  { name: 'forecache-namespace', in: 'header', description: 'The same, where the query does not say it.' },
]
const IF_MATCH: ParameterText = {
  name: 'if-match',
  in: 'header',
  description: 'Only where one of these ETags stands; `*`: anything.',
}
const windows: readonly (readonly [query: string, field: string, description: string])[] = [
  ['ttl', 'forecache-ttl', 'Fresh window with its unit, such as `30s`.'],
  ['stale', 'forecache-stale', 'Stale window, counted from the write as well; default: as ttl.'],
  ['onError', 'forecache-on-error', 'Window of readers that say `max-stale`; default: as stale.'],
  ['tags', 'forecache-tags', 'Tags, commas between.'],
]
const WRITE: readonly ParameterText[] = [
  KEY,
  ...NAMESPACE,
  ...windows.flatMap(([query, field, description]): ParameterText[] => [
    { name: query, in: 'query', description },
    { name: field, in: 'header', description: `As \`${query}\` of the query, where that does not say it.` },
  ]),
  {
    name: 'cache-control',
    in: 'header',
    description: 'max-age (s-maxage), stale-while-revalidate, stale-if-error: where no window is named otherwise.',
  },
  IF_MATCH,
  { name: 'if-none-match', in: 'header', description: '`*`: only where nothing stands; an ETag: only where it does not stand.' },
]

const ABOUT_VALUE = {
  etag: 'Strong, different for each coding.',
  age: 'Seconds since the write.',
  'x-cache': 'HIT, or STALE behind the fresh window.',
  'cache-status': 'RFC 9211, with the fresh seconds left.',
}
const TOKEN = { 'forecache-token': 'Version token of the log: bear it on a later read to see this write.' }
const ABSENT: AnswerText = { description: 'Nothing may be served under this key.', fields: { 'x-cache': 'MISS' } }
const OTHER_TYPE: AnswerText = {
  description: 'In a namespace that stands in Redis: something else than a string stands under the key.',
}
const CONDITION: AnswerText = { description: 'A condition does not hold; nothing was done.' }
const written: AnswerText = {
  description: 'The value stands.',
  fields: { etag: 'Of the value as given.', ...TOKEN },
  content: { 'application/json': WRITTEN },
}

export const READ_TEXT: EndpointText = {
  id: 'readValue',
  summary: 'One value, in the coding that is asked for',
  head: true,
  parameters: [
    KEY,
    ...NAMESPACE,
    { name: 'if-none-match', in: 'header', description: 'ETags that are known already.' },
    { name: 'accept-encoding', in: 'header', description: 'Codings by weight; identity until the others are made.' },
    { name: 'forecache-token', in: 'header', description: 'Version token: nothing older is to be read.' },
    { name: 'cache-control', in: 'header', description: '`max-stale[=seconds]`: also a value past its stale window.' },
  ],
  answers: {
    200: { description: 'The value, with the type it was written with.', fields: ABOUT_VALUE, content: { '*/*': undefined } },
    304: { description: 'One of the ETags still stands.', fields: ABOUT_VALUE },
    400: { description: 'The key, the query or a field cannot be read.' },
    404: ABSENT,
    406: { description: 'Every form is refused, or the library stored what bytes cannot say.' },
    409: OTHER_TYPE,
  },
}

const WRITE_ANSWERS: EndpointText['answers'] = {
  200: { ...written, description: 'The value stands; another one did before.' },
  201: { ...written, description: 'The value stands; none did before.' },
  400: { description: 'The key, the query or a field cannot be read; nothing was done.' },
  409: { description: `${OTHER_TYPE.description} Only where a condition had to be judged.` },
  412: CONDITION,
  413: { description: 'The value is too large; nothing was done.' },
  415: { description: 'The value has a content coding.' },
  507: { description: 'The memory limit refused it, and nothing stands under the key; or too many namespaces are in use.' },
}

export const WRITE_TEXT: EndpointText = {
  id: 'writeValue',
  summary: 'Writes a value: any bytes',
  parameters: WRITE,
  body: { '*/*': undefined },
  answers: WRITE_ANSWERS,
}

export const POST_TEXT: EndpointText = { ...WRITE_TEXT, id: 'writeValueByPost', summary: 'As PUT, for clients that have no PUT' }

export const DELETE_TEXT: EndpointText = {
  id: 'deleteValue',
  summary: 'Invalidates one key, whether anything stands under it or not',
  parameters: [
    KEY,
    ...NAMESPACE,
    IF_MATCH,
    { name: 'if-none-match', in: 'header', description: 'Only where none of these ETags stands.' },
  ],
  answers: {
    200: { description: 'No read that begins later gets it.', fields: TOKEN, content: { 'application/json': DELETED } },
    400: { description: 'The key, the query or a field cannot be read; nothing was done.' },
    412: CONDITION,
  },
}

export const BATCH_TEXT: EndpointText = {
  id: 'batch',
  summary: 'Many keys: deletes, then sets, then gets',
  description: 'What is wrong with one item is told with that item; the others are carried out.',
  body: { 'application/json': BATCH_BODY },
  answers: {
    200: { description: 'One status for each item.', fields: TOKEN, content: { 'application/json': BATCH_ANSWER } },
    400: { description: 'The body has another shape, or names too many keys; nothing was done.' },
    413: { description: 'The body is too large.' },
  },
}

/** Of the OpenAPI document itself. */
export const OPENAPI_TEXT: EndpointText = {
  id: 'getOpenApi',
  summary: 'This document',
  answers: { 200: { description: 'OpenAPI 3.1.', content: { 'application/json': z.looseObject({ openapi: z.string() }) } } },
}
