/**
 * A gateway's lane over stored responses, from a request line on a connection whose fields are known to head and body.
 */
import { createCache } from '../../src/flow/cache.ts'
import { createHttpDoor } from '../../src/http/door.ts'
import type { OriginPort } from '../../src/model/exchange.ts'
import { Fields } from '../../src/model/fields.ts'
import { SILENT } from '../../src/model/port.ts'
import { parseConfig } from '../../src/server/config.ts'
import type { Origin } from '../../src/server/origin.ts'
import { createRunning } from '../../src/server/running.ts'
import { contentOf } from '../rig/content.ts'

/** One hit. @throws when it is none */
export type LaneWay = (key: number) => void

const FIELDS: readonly string[] = ['Host', '127.0.0.1:8080']

/** Fills it. */
export async function createLane(
  keys: number,
  { refreshAhead = false, prefetch = false }: { readonly refreshAhead?: boolean; readonly prefetch?: boolean },
): Promise<LaneWay> {
  const text = `origin: { url: 'http://127.0.0.1:1' }\nrefreshAhead: ${refreshAhead}\nprefetch: ${prefetch}\n`
  const config = parseConfig({ text, file: 'hit.yaml' })
  const cache = createCache({ refreshAhead })
  const { engine } = cache
  const origin: OriginPort = { send: ({ target }) => Promise.resolve(answerTo(target)) }
  const { lane } = createRunning({ config, engine, logger: SILENT, pseudonym: 'bench', origin: origin as Origin })
  if (lane === undefined) throw new Error('this configuration has no lane')
  const door = createHttpDoor({ engine })
  const targets = Array.from({ length: keys }, (_, key) => `/1024/${key}`)
  const { signal } = new AbortController()
  for (const target of targets) {
    const head = { method: 'GET', target, scheme: 'http', authority: '127.0.0.1:8080', fields: Fields.fromRaw(FIELDS) } as const
    const { body } = await door.handle(head, undefined, { origin, signal })
    if (body !== undefined && !(body instanceof Uint8Array)) for await (const _ of body);
  }
  const fields = lane.read(FIELDS, { peer: { address: '127.0.0.1', version: '1.1' }, scheme: 'http' })
  if (fields === undefined) throw new Error('the lane does not know these fields')
  const { clock } = engine
  return (key) => {
    const now = clock.now()
    const known = lane.know(fields, 'GET', targets[key] as string)
    const answer = known === undefined ? undefined : lane.answer(known, now)
    if (known === undefined || answer === undefined) throw new Error(`not answered: ${targets[key]}`)
    lane.time(known, clock.now() - now)
  }
}

function answerTo(target: string): Awaited<ReturnType<OriginPort['send']>> {
  const body = Buffer.from(contentOf(target), 'latin1')
  const fields = Fields.from({
    'content-type': 'application/json',
    'cache-control': 'public, max-age=3600',
    date: new Date().toUTCString(),
    'content-length': body.byteLength,
  })
  const chunks = async function* () {
    yield body
  }
  return { head: { status: 200, statusText: 'OK', fields }, body: chunks(), trailers: () => undefined }
}
