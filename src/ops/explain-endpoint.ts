/**
 * `GET /v1/explain`: how a URL or a key would be answered, and why.
 *
 * Floor 4, room ops. A URL is seen through the doors' eyes: the same routes, the same key as for a real request.
 */
import type { Engine } from '../flow/engine.ts'
import { type Endpoint, jsonReply } from '../model/endpoint.ts'
import { ForecacheError } from '../model/errors.ts'
import type { ExplainPort, RequestView } from '../model/explain.ts'
import { Fields } from '../model/fields.ts'
import { explain, type Explanation } from './explain.ts'
import { Journal } from './journal.ts'
import { EXPLAIN_TEXT } from './texts.ts'

/** What the endpoint looks at. */
export interface ExplainerParts {
  readonly engine: Engine
  /** Doors that can say how they see a request; asked in order. */
  readonly doors?: readonly ExplainPort[]
  /** Authority (`host:port`) taken for a URL that names none: the gateway's own. */
  readonly authority?: () => string | undefined
  /** Keys whose last happening is remembered; default 10,000. */
  readonly journalKeys?: number
}

type Parts = ExplainerParts & { readonly journal: Journal }

const MAX_URL_CHARS = 16_384
const MAX_HEADERS = 100

/** Explains, as long as it is not closed. */
export interface Explainer {
  readonly endpoint: Endpoint
  /** @param query as the endpoint takes it @throws FC_API_QUERY */
  explain(query: URLSearchParams): UrlExplanation
  close(): void
}

/** An explanation; the URL where one was asked for. */
export type UrlExplanation = Explanation & { readonly url?: string }

/** Begins to remember what happens to keys. */
export function createExplainer(given: ExplainerParts): Explainer {
  const { engine } = given
  const journal = new Journal(engine.events, engine.clock, given.journalKeys ?? 10_000)
  const parts = { ...given, journal }
  const explainGiven = (query: URLSearchParams): UrlExplanation => explainQuery(parts, query)
  return {
    endpoint: createExplainEndpoint(explainGiven),
    explain: explainGiven,
    close: () => journal.close(),
  }
}

/** @param ask explains a query as the endpoint takes it; may throw FC_API_QUERY */
export function createExplainEndpoint(ask: (query: URLSearchParams) => UrlExplanation | Promise<UrlExplanation>): Endpoint {
  return {
    method: 'GET',
    path: '/v1/explain',
    about: EXPLAIN_TEXT,
    handle: async ({ query }) => jsonReply(200, await ask(query)),
  }
}

/**
 * `?key=` as stored, or `?url=` with optional `method` and any number of `header=name:value`.
 *
 * @throws FC_API_QUERY
 */
function explainQuery(parts: Parts, query: URLSearchParams): UrlExplanation {
  const [key, url] = [query.get('key'), query.get('url')]
  for (const name of query.keys()) {
    if (!['key', 'url', 'method', 'header'].includes(name)) refuse(name, 'unknown; known: key, url, method, header')
  }
  if ((key === null) === (url === null)) return refuse('key', 'give either key or url')
  if (key !== null) return explain(parts, key)
  const view = viewUrl(parts, url as string, query)
  return { url: url as string, ...explain(parts, view.key, view) }
}

function viewUrl(parts: Parts, url: string, query: URLSearchParams): RequestView {
  const authority = parts.authority?.() ?? 'localhost'
  // A path is appended, not resolved: `//x` is a path here, never another host.
  const absolute = url.startsWith('/') ? `http://${authority}${url}` : url
  const isHttp = url.length <= MAX_URL_CHARS && /^https?:\/\//i.test(absolute) && URL.canParse(absolute)
  if (!isHttp) return refuse('url', 'expected an http URL or a path')
  const target = new URL(absolute)
  const head = {
    method: query.get('method') ?? 'GET',
    // As given, not as URL would spell it: normalizing is the door's doing, and what is explained.
    target: (url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?#]*/i, '')).replace(/#.*$/s, '').replace(/^(?!\/)/, '/'),
    scheme: target.protocol === 'https:' ? ('https' as const) : ('http' as const),
    authority: target.host,
    fields: parseHeaders(query.getAll('header')),
  }
  for (const door of parts.doors ?? []) {
    const view = door.explain(head)
    if (view !== undefined) return view
  }
  return refuse('url', 'no HTTP door serves this URL here; ask by key')
}

function parseHeaders(given: readonly string[]): Fields {
  if (given.length > MAX_HEADERS) refuse('header', `at most ${MAX_HEADERS}`)
  const fields = Fields.from()
  for (const line of given) {
    const match = /^([!#$%&'*+.^_`|~0-9a-z-]+):\s*([^\r\n]*)$/i.exec(line)
    if (match === null) return refuse('header', 'expected name:value')
    fields.append(match[1] as string, match[2] as string)
  }
  return fields
}

function refuse(name: string, reason: string): never {
  throw new ForecacheError('FC_API_QUERY', { name, reason })
}
