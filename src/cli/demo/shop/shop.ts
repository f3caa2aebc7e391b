/**
 * The demo shop as a plain request listener: it knows nothing of forecache but the header fields it sends.
 *
 * Floor 6, room cli. Works with any server; `announce` is called with what a write changed, before the writer is
 * answered, so that a cache somewhere else has dropped it when the writer reads again.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { ACCOUNT_ROUTES } from './account.ts'
import { type Answer, problem, writeAnswer } from './answer.ts'
import type { Call, Route } from './call.ts'
import type { Database, RowSource } from './database.ts'
import { ORDER_ROUTES } from './orders.ts'
import { PRODUCT_ROUTES } from './products.ts'
import { QUOTE_ROUTES } from './quote.ts'
import { Stages, type Stopwatch } from './stages.ts'

/** What the shop is made of. */
export interface ShopOptions {
  readonly db: Database
  /** Where reads come from; default: the database. */
  readonly source?: RowSource
  /** Told what each write changed, awaited before the answer; a failure is logged, the write stands. */
  readonly announce?: (changed: readonly string[]) => Promise<void>
  /** Epoch ms; default Date.now. */
  readonly wall?: () => number
  /** Default performance.now. */
  readonly stopwatch?: Stopwatch
  /** Told about failures. Default: console.error. */
  readonly onError?: (error: unknown) => void
}

const ROUTES: readonly Route[] = [...PRODUCT_ROUTES, ...QUOTE_ROUTES, ...ACCOUNT_ROUTES, ...ORDER_ROUTES]
const MAX_BODY_BYTES = 16 * 1024

/** A request listener for `node:http`. */
export function createShop(options: ShopOptions): RequestListener {
  const { wall = Date.now, stopwatch = () => performance.now(), onError = (error) => console.error(error) } = options

  async function answer(request: IncomingMessage, stages: Stages): Promise<Answer> {
    const url = new URL(request.url ?? '/', 'http://shop')
    const found = match(request.method ?? 'GET', url.pathname)
    if ('status' in found) return found
    const body = found.route.method === 'GET' ? undefined : await readJson(request)
    const call: Call = {
      request,
      url,
      id: found.id,
      body,
      nowMs: wall(),
      stages,
      source: options.source ?? options.db,
      db: options.db,
    }
    const made = await found.route.run(call)
    const { changed = [] } = made
    if (changed.length > 0 && options.announce !== undefined) {
      await options.announce(changed).catch(onError)
    }
    return made
  }

  return (request: IncomingMessage, response: ServerResponse): void => {
    const stages = new Stages(stopwatch)
    answer(request, stages)
      .catch((error: unknown): Answer => {
        if (error instanceof BadBody) return problem(error.status, error.message)
        onError(error)
        return problem(500, 'the shop failed; its log says why')
      })
      .then((made) => writeAnswer(request, response, { answer: made, stages }))
      .catch(onError)
  }
}

function match(method: string, path: string): { readonly route: Route; readonly id: string } | Answer {
  const wanted = method === 'HEAD' ? 'GET' : method
  const allowed: string[] = []
  for (const route of ROUTES) {
    const hit = route.path.exec(path)
    if (hit === null) continue
    if (route.method === wanted) return { route, id: hit[1] ?? '' }
    allowed.push(route.method === 'GET' ? 'GET, HEAD' : route.method)
  }
  if (allowed.length === 0) return problem(404, `${path}: no such endpoint`)
  return problem(405, `${method} ${path}: allowed here: ${allowed.join(', ')}`, allowed.join(', '))
}

class BadBody extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_BODY_BYTES) throw new BadBody(413, `body: at most ${MAX_BODY_BYTES} bytes`)
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    throw new BadBody(400, 'body: expected JSON')
  }
}
