/**
 * One request of the `api` port: checked, matched to its endpoint, its content read, answered.
 *
 * Floor 5, room server. Order: the request is unambiguous, comes from no foreign web page, names an endpoint, bears a key
 * where one is needed, and only then is its content read. What an endpoint throws becomes its status and code.
 */
import type FindMyWay from 'find-my-way'
import { STATUS_CODES } from 'node:http'
import type { Clock } from '../model/clock.ts'
import type { ApiReply, Endpoint } from '../model/endpoint.ts'
import { ForecacheError } from '../model/errors.ts'
import type { BodySource, Reply, RequestHead } from '../model/exchange.ts'
import { Fields } from '../model/fields.ts'
import type { Logger } from '../model/port.ts'
import { admit } from './admit.ts'
import { ClientBody } from './client-body.ts'
import { endsHere } from './connections.ts'
import { givenKey, type Keyring } from './keyring.ts'
import type { Incoming } from './listener.ts'
import { errorReply, NO_CACHE } from './refuse.ts'
import { sendReply } from './send.ts'

/** What answering takes. */
export interface ApiContext {
  readonly router: FindMyWay.Instance<FindMyWay.HTTPVersion.V1>
  readonly methods: readonly string[]
  readonly clock: Clock
  readonly logger: Logger
  /** Without keys, Host must be this machine's own name or an address: a web page cannot be that (DNS rebinding). */
  readonly localNamesOnly: boolean
  keys(): Keyring
  draining(): boolean
}

const LIMITS = { maxTargetBytes: 8192, maxFields: 100, maxBodyBytes: Number.MAX_SAFE_INTEGER, defaultAuthority: 'localhost' }
const BODY_IDLE_MS = 10_000

/** Answers one request; never rejects. */
export async function receiveApi(context: ApiContext, incoming: Incoming): Promise<void> {
  const { request, response, connection } = incoming
  const reply = await answer(context, incoming).catch((error: unknown) => {
    if (!(error instanceof ForecacheError)) context.logger.error({ err: error, url: request.url }, 'an endpoint failed')
    return errorReply(error, 'api')
  })
  const unread = !request.complete
  if (unread) incoming.linger()
  try {
    await sendReply(response, reply, { via: undefined, close: unread || endsHere(connection) || context.draining(), latencyUs: undefined })
  } catch (error) {
    context.logger.error({ err: error, url: request.url }, 'an answer could not be written')
    response.destroy()
  }
}

async function answer(context: ApiContext, incoming: Incoming): Promise<Reply> {
  const { request, response, connection } = incoming
  let head: RequestHead
  try {
    head = admit(request, LIMITS)
  } catch (error) {
    connection.closing = true
    throw error
  }
  const { endpoint, params, path, query } = match(context, head)
  const keys = context.keys()
  if (endpoint.open !== true) checkCaller(context, head, keys)
  const abort = new AbortController()
  response.once('close', () => abort.abort(new ForecacheError('FC_REQUEST_ABORTED')))
  const body = await readBody(context, incoming, endpoint.maxBodyBytes ?? 0)
  const reply = await endpoint.handle({ method: head.method, path, params, query, fields: head.fields, body, signal: abort.signal })
  return httpReply(reply)
}

function checkCaller(context: ApiContext, head: RequestHead, keys: Keyring): void {
  if (keys.size > 0) {
    if (!keys.admits(givenKey(head.fields))) throw new ForecacheError('FC_API_KEY')
    return
  }
  const origin = head.fields.first('origin')
  const foreign = origin !== undefined && origin.toLowerCase() !== `http://${head.authority}`
  const site = head.fields.first('sec-fetch-site')
  const crossing = site !== undefined && site !== 'same-origin' && site !== 'none'
  const name = head.authority.replace(/:\d+$/, '')
  const local = name === 'localhost' || /^[\d.]+$/.test(name) || name.startsWith('[')
  if (foreign || crossing || (context.localNamesOnly && !local)) throw new ForecacheError('FC_API_FOREIGN')
}

interface Match {
  readonly endpoint: Endpoint
  readonly params: Readonly<Record<string, string>>
  readonly path: string
  readonly query: URLSearchParams
}

function match(context: ApiContext, head: RequestHead): Match {
  const at = head.target.indexOf('?')
  const path = at < 0 ? head.target : head.target.slice(0, at)
  const method = head.method === 'HEAD' ? 'GET' : head.method
  const found = context.router.find(method as FindMyWay.HTTPMethod, path)
  if (found !== null) {
    const params: Record<string, string> = {}
    for (const [name, value] of Object.entries(found.params)) if (value !== undefined) params[name] = value
    return { endpoint: found.store as Endpoint, params, path, query: new URLSearchParams(at < 0 ? '' : head.target.slice(at + 1)) }
  }
  const allow = context.methods.filter((one) => context.router.find(one as FindMyWay.HTTPMethod, path) !== null)
  if (allow.includes('GET')) allow.push('HEAD')
  const detail = { method: head.method, path }
  throw allow.length === 0 ? new ForecacheError('FC_API_ROUTE', detail) : new ForecacheError('FC_API_METHOD', { ...detail, allow: allow.join(', ') })
}

async function readBody(context: ApiContext, { request, response, expects }: Incoming, maxBytes: number): Promise<Uint8Array> {
  const length = Number(request.headers['content-length'] ?? 0)
  if (length > maxBytes) throw new ForecacheError('FC_REQUEST_TOO_LARGE', { max: maxBytes })
  if (length === 0 && request.headers['transfer-encoding'] === undefined) return new Uint8Array(0)
  const onStart = (): void => void (expects && response.writeContinue())
  const chunks: Uint8Array[] = []
  for await (const chunk of new ClientBody(request, { maxBytes, idleMs: BODY_IDLE_MS, clock: context.clock, onStart })) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function httpReply(reply: ApiReply): Reply {
  const { status, fields, body } = reply
  const bytes = typeof body === 'string' ? Buffer.from(body) : body instanceof Uint8Array || body === undefined ? body : encoded(body)
  return { head: { status, statusText: STATUS_CODES[status] ?? '', fields: Fields.from(fields) }, body: bytes, outcome: NO_CACHE }
}

function encoded(body: AsyncIterable<string | Uint8Array>): BodySource {
  return {
    [Symbol.asyncIterator]() {
      const source = body[Symbol.asyncIterator]()
      return {
        async next() {
          const step = await source.next()
          if (step.done === true) return { value: undefined, done: true }
          return { value: typeof step.value === 'string' ? Buffer.from(step.value) : step.value, done: false }
        },
        async return() {
          await source.return?.()
          return { value: undefined, done: true }
        },
      }
    },
  }
}
