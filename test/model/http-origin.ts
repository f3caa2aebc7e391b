/**
 * An origin in virtual time for histories of the HTTP door: versions, variants, users, errors, bodies that come in pieces,
 * break off or lie about their length. Every answer says whose it is, so that a reader can judge it.
 */
import { gzipSync } from 'node:zlib'
import { ForecacheError } from '../../src/model/errors.ts'
import type { BodySource, OriginAnswer, OriginPort, RequestHead } from '../../src/model/exchange.ts'
import { Fields } from '../../src/model/fields.ts'
import type { VirtualClock } from '../../src/model/virtual-clock.ts'

/** How one URL behaves. */
export interface Manners {
  readonly maxAgeS: number
  readonly whileS: number
  readonly ifErrorS: number
  readonly vary: readonly string[]
  readonly sharing: 'public' | 'private' | 'no-store' | 'no-cache'
  readonly etag: boolean
  readonly tag: string
  /** Bytes added to each body; above the door's limit nothing is stored. */
  readonly padding: number
  /** Sends gzip to who takes it. */
  readonly codes?: boolean
}

/** What a body says. */
export interface Told {
  readonly url: string
  readonly version: number
  readonly lang: string
  readonly user: string
  readonly end: 'end'
}

/** See the module's header. */
export class ModelOrigin implements OriginPort {
  readonly #clock: VirtualClock
  readonly #random: () => number
  readonly #versions = new Map<string, number>()
  readonly manners: ReadonlyMap<string, Manners>
  /** When the origin last said that a version (of a URL, language and user) was current, `clock.now()`. */
  readonly confirmedAt = new Map<string, number>()
  /** When a HEAD of a URL was last answered, `clock.now()`: without validators it does not say of which version. */
  readonly headAt = new Map<string, number>()
  requests = 0

  constructor(clock: VirtualClock, random: () => number, manners: ReadonlyMap<string, Manners>) {
    this.#clock = clock
    this.#random = random
    this.manners = manners
  }

  version(url: string): number {
    return this.#versions.get(url) ?? 0
  }

  change(url: string): void {
    this.#versions.set(url, this.version(url) + 1)
  }

  async send(head: RequestHead): Promise<OriginAnswer> {
    this.requests += 1
    await this.#pause(30)
    const url = head.target
    if (head.method === 'POST' || head.method === 'PUT') return this.#write(url)
    const told = this.#tell(head)
    this.confirmedAt.set(nameOf(told), this.#clock.now())
    if (head.method === 'HEAD') this.headAt.set(url, this.#clock.now())
    const dice = this.#random()
    await this.#pause(60)
    if (dice < 0.04) throw new ForecacheError('FC_ORIGIN_REFUSED', { reason: 'model' })
    if (dice < 0.08) return answer(503, Fields.from({ 'content-type': 'text/plain' }), once(Buffer.from('sorry')))
    const fields = this.#fieldsOf(told, head)
    const coded = this.manners.get(url)?.codes === true && (head.fields.get('accept-encoding') ?? '').includes('gzip')
    if (coded) fields.set('content-encoding', 'gzip').set('etag', `"${nameOf(told)}-gz"`)
    const etag = fields.first('etag')
    if (etag !== undefined && head.fields.get('if-none-match')?.includes(etag) === true) return answer(304, fields, once())
    const body = Buffer.from(JSON.stringify(told) + ' '.repeat((this.manners.get(url) as Manners).padding))
    return this.#whole(fields, coded ? gzipSync(body) : body, dice)
  }

  async #write(url: string): Promise<OriginAnswer> {
    if (this.#random() < 0.1) return answer(500, Fields.from(), once())
    this.change(url)
    await this.#pause(60)
    return answer(204, Fields.from(), once())
  }

  #tell(head: RequestHead): Told {
    const { vary, sharing } = this.manners.get(head.target) as Manners
    return {
      url: head.target,
      version: this.version(head.target),
      lang: vary.includes('accept-language') ? (head.fields.get('accept-language') ?? '-') : '*',
      user: sharing === 'public' ? '*' : (head.fields.get('cookie') ?? '-'),
      end: 'end',
    }
  }

  #fieldsOf(told: Told, head: RequestHead): Fields {
    const { maxAgeS, whileS, ifErrorS, vary, sharing, etag, tag } = this.manners.get(head.target) as Manners
    const control =
      sharing === 'public'
        ? `max-age=${maxAgeS}, stale-while-revalidate=${whileS}, stale-if-error=${ifErrorS}`
        : sharing === 'private'
          ? `private, max-age=${maxAgeS}`
          : sharing
    return Fields.from({
      'content-type': 'application/json',
      'cache-control': control,
      date: new Date(this.#clock.wall()).toUTCString(),
      'surrogate-key': tag,
      vary: vary.length === 0 ? undefined : vary.join(', '),
      etag: etag ? `"${nameOf(told)}"` : undefined,
    })
  }

  #whole(fields: Fields, body: Buffer, dice: number): OriginAnswer {
    const breaks = dice > 0.95
    const cut = dice > 0.92 && dice < 0.95
    if (dice > 0.3 || breaks || cut) fields.set('content-length', String(body.length))
    return answer(200, fields, this.#pieces(cut ? body.subarray(0, body.length - 3) : body, breaks))
  }

  async *#pieces(body: Buffer, breaks: boolean): AsyncGenerator<Uint8Array> {
    const pieces = body.length > 1000 ? 5 : 2
    for (let i = 0; i < pieces; i += 1) {
      if (breaks && i === pieces - 1) throw new ForecacheError('FC_ORIGIN_BROKEN', { reason: 'model' })
      yield body.subarray(Math.floor((body.length * i) / pieces), Math.floor((body.length * (i + 1)) / pieces))
      await this.#pause(40)
    }
  }

  #pause(ms: number): Promise<void> {
    const wait = ms * this.#random()
    return new Promise((resolve) => void this.#clock.after(wait, resolve))
  }
}

/** Names one answer of the origin. */
export function nameOf(told: Told): string {
  return `${told.url}|${told.version}|${told.lang}|${told.user}`
}

function answer(status: number, fields: Fields, body: BodySource): OriginAnswer {
  return { head: { status, statusText: '', fields }, body, trailers: () => undefined }
}

async function* once(...chunks: Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}
