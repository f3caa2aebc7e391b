/**
 * Random histories of the HTTP door against an oracle that knows the origin.
 *
 * Clients of several languages and users read, read conditionally, read parts, give up and write; administration
 * invalidates by URL and tag. Every whole answer is judged: it is of the asked URL, in the asker's language, nobody
 * else's private one, complete, not older than what was invalidated before the asking, and inside its windows.
 */
import { createCache } from '../../src/flow/cache.ts'
import { PREFETCH_DEFAULTS, type PrefetchSection } from '../../src/flow/prefetch-options.ts'
import { createHttpDoor, type HttpDoor } from '../../src/http/door.ts'
import type { ProfileName } from '../../src/http/profile.ts'
import type { Reply, RequestHead } from '../../src/model/exchange.ts'
import { Fields } from '../../src/model/fields.ts'
import { createRandom } from '../../src/model/random.ts'
import { createVirtualClock, settle } from '../../src/model/virtual-clock.ts'
import { HeldPress, plainText } from '../support/coded-origin.ts'
import { type Manners, ModelOrigin, nameOf, type Told } from './http-origin.ts'
import type { Violation } from './history.ts'

/** What a history came to. */
export interface HttpOutcome {
  readonly answers: number
  readonly hits: number
  readonly stale: number
  readonly renewed: number
  readonly fenced: number
  /** Answers in a coding, from the store. */
  readonly coded: number
  /** Asked for before a client did, and asked for by one in time. */
  readonly beforehand: number
  readonly foreseen: number
  readonly violations: readonly Violation[]
}

const ACCEPTS = [undefined, 'gzip', 'br, gzip', 'zstd;q=0.5, br;q=0.1', 'identity;q=0, gzip, br']
const URLS = Array.from({ length: 8 }, (_, i) => `/r/${i}?v=1`)

/** What is around the clients. */
export interface HttpAround {
  readonly profile: ProfileName
  readonly compress?: boolean
  /** What clients ask for next is fetched beforehand; they walk from one URL to the next for the most part. */
  readonly prefetch?: 'omit' | 'send'
}

/** Runs one history. `sabotage` may break the engine, to prove that the judge sees it. */
export async function runHttpHistory(
  seed: number,
  steps: number,
  around: HttpAround & { readonly sabotage?: (door: HttpHistory) => void },
): Promise<HttpOutcome> {
  const history = new HttpHistory(seed, around)
  around.sabotage?.(history)
  await history.run(steps)
  return history.outcome()
}

/** See `runHttpHistory`. */
export class HttpHistory {
  readonly clock = createVirtualClock()
  readonly #random: () => number
  readonly cache
  readonly #door: HttpDoor
  readonly #origin: ModelOrigin
  readonly #floors = new Map<string, number>()
  readonly #violations: Violation[] = []
  #step = 0
  /** Requests that have not ended, one way or the other. */
  readonly #open = new Set<string>()
  #answers = 0
  #hits = 0
  #stale = 0
  #coded = 0
  /** Clients go from one URL to the next, and say who they are. */
  readonly #walks: boolean
  readonly #at = new Map<string, number>()
  /** Codings are made by real threads, and handed over when a step of the history says so. */
  readonly #press: HeldPress | undefined

  constructor(seed: number, { profile, compress = false, prefetch }: HttpAround) {
    this.#random = createRandom(seed)
    this.#press = compress ? new HeldPress() : undefined
    this.cache = createCache({
      clock: this.clock,
      random: this.#random,
      memory: { maxBytes: 4_000_000, maxEntries: this.#pick([10, 1000]) },
    })
    this.#origin = new ModelOrigin(this.clock, this.#random, new Map(URLS.map((url) => [url, this.#manners(url)])))
    const coding = this.#press === undefined ? {} : { press: this.#press, compress: { minBytes: 1 } }
    const limits = { maxBodyBytes: 400, laggardMs: 500 }
    this.#walks = prefetch !== undefined
    const foreseeing = this.#walks ? { origin: this.#origin, prefetch: foreseeingWith(prefetch ?? 'omit') } : {}
    this.#door = createHttpDoor({ engine: this.cache.engine, profile, limits, ...coding, ...foreseeing })
  }

  async run(steps: number): Promise<void> {
    for (this.#step = 0; this.#step < steps; this.#step += 1) {
      this.#act()
      if (this.#press !== undefined && this.#random() < 0.2)
        await this.#press.release(Math.floor(this.#random() * this.#press.held))
      await settle(40) // who is answered at once is judged at that moment, not after the next advance
      if (this.#random() < 0.6) this.clock.advance(this.#random() < 0.08 ? 1500 * this.#random() : 25 * this.#random())
      await settle(40)
    }
    await this.clock.advanceAsync(10_000)
    if (this.#open.size > 0) this.#fail(`never answered: ${[...this.#open].join(', ')}`)
    await this.cache.close()
  }

  outcome(): HttpOutcome {
    const { counts } = this.cache.stats()
    return {
      answers: this.#answers,
      hits: this.#hits,
      stale: this.#stale,
      renewed: counts.revalidations,
      fenced: counts.fenced,
      coded: this.#coded,
      beforehand: counts.prefetchStarted,
      foreseen: counts.prefetchUsed,
      violations: this.#violations,
    }
  }

  #act(): void {
    const dice = this.#random()
    const url = this.#pick(URLS.slice(0, 2 + Math.floor(this.#random() * 7)))
    if (dice < 0.8) void (this.#walks ? this.#readNext() : this.#read(url))
    else if (dice < 0.88) void this.#write(url)
    else if (dice < 0.94) this.#purge(url)
    else void this.cache.invalidate({ tags: [(this.#origin.manners.get(url) as Manners).tag], soft: true })
  }

  /** One of a few clients goes on to the URL behind his last. */
  async #readNext(): Promise<void> {
    const client = this.#pick(['1', '2', '3'])
    const at = this.#random() < 0.9 ? ((this.#at.get(client) ?? 0) + 1) % URLS.length : 0
    this.#at.set(client, at)
    await this.#read(URLS[at] as string, client)
  }

  async #read(url: string, client?: string): Promise<void> {
    const lang = this.#pick(['de', 'en', 'fr'])
    const user = this.#pick(['u=ann', 'u=bob'])
    const fields = Fields.from({ host: 'shop', 'accept-language': lang, cookie: user, 'x-client': client })
    const accept = this.#press === undefined ? undefined : this.#pick(ACCEPTS)
    if (accept !== undefined) fields.set('accept-encoding', accept)
    const dice = this.#random()
    if (dice < 0.1) fields.set('range', 'bytes=0-9')
    else if (dice < 0.2) fields.set('cache-control', this.#pick(['no-cache', 'max-age=1', 'no-store', 'min-fresh=1']))
    const head: RequestHead = { method: dice > 0.95 ? 'HEAD' : 'GET', target: url, scheme: 'http', authority: 'shop', fields }
    const atLeast = this.#floors.get(url) ?? 0
    const abort = new AbortController()
    if (dice > 0.85 && dice < 0.92) this.clock.after(80 * this.#random(), () => abort.abort(new Error('client gone')))
    const name = `${this.#step} ${head.method} ${url} ${JSON.stringify([...fields])}`
    this.#open.add(name)
    try {
      const reply = await this.#door.handle(head, undefined, { origin: this.#origin, signal: abort.signal })
      const now = this.clock.now() // the moment of the promise; the body may take longer
      const body = await this.#drain(reply, abort.signal)
      if (head.method !== 'GET' || reply.head.status !== 200) return
      this.#judgeCoding(accept, reply)
      this.#judge(
        { url, lang, user, atLeast, now },
        reply,
        plainText({ text: body.toString('latin1'), fields: reply.head.fields }),
      )
    } catch {
      // failing and broken answers are part of the history
    } finally {
      this.#open.delete(name)
    }
  }

  async #write(url: string): Promise<void> {
    const head: RequestHead = {
      method: 'PUT',
      target: url,
      scheme: 'http',
      authority: 'shop',
      fields: Fields.from({ host: 'shop' }),
    }
    const reply = await this.#door.handle(head, undefined, { origin: this.#origin, signal: new AbortController().signal })
    if (reply.head.status === 204) this.#raise(url)
  }

  #purge(url: string): void {
    const { tag } = this.#origin.manners.get(url) as Manners
    if (this.#random() < 0.5) {
      this.#origin.change(url)
      this.cache.engine.invalidate({ urls: [`http://shop${url}`] })
      return this.#raise(url)
    }
    const named = URLS.filter((one) => this.#origin.manners.get(one)?.tag === tag)
    for (const one of named) this.#origin.change(one)
    this.cache.engine.invalidate({ tags: [tag] })
    for (const one of named) this.#raise(one)
  }

  /** What was current when the invalidation was answered is the least that later readers may get. */
  #raise(url: string): void {
    this.#floors.set(url, Math.max(this.#floors.get(url) ?? 0, this.#written(url)))
  }

  /** A write under way may have changed the origin already without being answered: only count what all may expect. */
  #written(url: string): number {
    return this.#origin.version(url)
  }

  #judge(asker: { url: string; lang: string; user: string; atLeast: number; now: number }, reply: Reply, body: string): void {
    this.#answers += 1
    const { cache } = reply.outcome
    if (cache === 'HIT') this.#hits += 1
    if (cache === 'STALE') this.#stale += 1
    let told: Told
    try {
      told = JSON.parse(body) as Told
    } catch {
      // A length that lies is for the server's client of the origin to notice; what is stored or shared is noticed here.
      if (cache === 'BYPASS' || (cache === 'MISS' && reply.head.fields.get('cache-status')?.includes('stored') !== true)) return
      return this.#fail(`${asker.url}: ${cache} with an incomplete body`)
    }
    const { maxAgeS, whileS, ifErrorS, sharing, etag } = this.#origin.manners.get(asker.url) as Manners
    if (told.url !== asker.url) this.#fail(`asked for ${asker.url}, got ${told.url}`)
    if (told.lang !== '*' && told.lang !== asker.lang) this.#fail(`${asker.url}: asked in ${asker.lang}, got ${told.lang}`)
    if (told.user !== '*' && told.user !== asker.user) this.#fail(`${asker.url}: ${asker.user} got the answer of ${told.user}`)
    if (told.version < asker.atLeast)
      this.#fail(`${asker.url}: ${cache} version ${told.version}, invalidated up to ${asker.atLeast}`)
    if (cache !== 'HIT' && cache !== 'STALE') return
    if (sharing === 'private' || sharing === 'no-store') return this.#fail(`${asker.url}: ${sharing} answered from the store`)
    // The conformance profile lets a HEAD without validators freshen what is stored, as its suite asks; safe never does.
    const headAt = this.#door.profile === 'conformance' && !etag ? (this.#origin.headAt.get(asker.url) ?? 0) : 0
    const ageMs = asker.now - Math.max(this.#origin.confirmedAt.get(nameOf(told)) ?? 0, headAt)
    // An origin that cannot be reached lets the conformance profile serve what is stale by far (RFC 9111 section 4.2.4).
    const staleS = this.#door.profile === 'conformance' ? 86_400 : Math.max(whileS, ifErrorS)
    const windowS = cache === 'HIT' ? maxAgeS : maxAgeS + staleS
    if (ageMs > windowS * 1000)
      this.#fail(`${asker.url}: ${cache} at age ${ageMs} ms, window ${windowS} s; ${reply.head.fields.get('cache-status')}`)
  }

  #judgeCoding(accept: string | undefined, { head, outcome }: Reply): void {
    const coding = head.fields.get('content-encoding')
    if (coding === undefined) return
    if (outcome.cached) this.#coded += 1
    if (accept?.includes(coding) !== true) this.#fail(`${coding} for who takes ${accept}`)
  }

  async #drain(reply: Reply, signal: AbortSignal): Promise<Buffer> {
    if (reply.body === undefined) return Buffer.alloc(0)
    if (reply.body instanceof Uint8Array) return Buffer.from(reply.body)
    const chunks: Uint8Array[] = []
    const slow = this.#random() < 0.1
    for await (const chunk of reply.body) {
      if (slow) await new Promise<void>((resolve) => void this.clock.after(900 * this.#random(), resolve))
      if (signal.aborted) throw new Error('client gone')
      chunks.push(Uint8Array.from(chunk))
    }
    return Buffer.concat(chunks)
  }

  #manners(url: string): Manners {
    return {
      maxAgeS: Math.floor(this.#random() * 4),
      whileS: this.#pick([0, 1, 3]),
      ifErrorS: this.#pick([0, 2, 5]),
      vary: [
        ...this.#pick([[], ['accept-language'], ['accept-language', 'x-ab']]),
        ...(this.#press === undefined ? [] : ['accept-encoding']),
      ],
      sharing: this.#pick(['public', 'public', 'public', 'public', 'private', 'no-store', 'no-cache'] as const),
      etag: this.#random() < 0.7,
      tag: `t${url.charCodeAt(3) % 3}`,
      padding: this.#pick([0, 0, 0, 3000]) + (this.#press === undefined ? 0 : 200),
      ...(this.#press === undefined ? {} : { codes: this.#random() < 0.6 }),
    }
  }

  #pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.#random() * from.length)] as T
  }

  #fail(what: string): void {
    this.#violations.push({ step: this.#step, what })
  }
}

/** As eager as it may be: promises are at stake here, not budgets. */
function foreseeingWith(credentials: 'omit' | 'send'): PrefetchSection {
  return { ...PREFETCH_DEFAULTS, credentials, client: { header: 'x-client' }, extra: 10, minChance: 0.01, patience: 5000 }
}
