/**
 * Listens to a running gateway and tells of its requests as a log would.
 *
 * Floor 6, room cli. Through `/v1/stream`: look-ups by key, and the sizes of what was stored. Keys are as the gateway makes them, so
 * what its routes drop already is not seen; who asked is not told. Events that the gateway had to drop are counted.
 */
import { request } from 'undici'
import type { Access } from '../advice/access.ts'
import { ForecacheError } from '../model/errors.ts'

/** Where, and for how long. */
export interface TapWish {
  readonly url: URL
  readonly apiKey?: string | undefined
  readonly forMs: number
}

const EVENTS = 'lookup:hit,lookup:stale,lookup:miss,keep:store'
const MAX_KEYS = 200_000
const CONNECT_MS = 10_000

/** @returns events that were lost @throws (rejects) FC_CLI_API */
export async function tapGateway({ url, apiKey, forMs }: TapWish, onAccess: (access: Access) => void): Promise<number> {
  const address = new URL(`/v1/stream?events=${EVENTS}`, url).href
  const signal = AbortSignal.timeout(forMs)
  const tap = createTap(onAccess)
  try {
    const answer = await request(address, {
      headers: { accept: 'text/event-stream', ...(apiKey !== undefined && { 'x-api-key': apiKey }) },
      headersTimeout: CONNECT_MS,
      bodyTimeout: 0,
      signal,
    })
    if (answer.statusCode !== 200) {
      const text = (await answer.body.text()).slice(0, 200)
      throw new ForecacheError('FC_CLI_API', { url: address, reason: `answered ${answer.statusCode}: ${text}` })
    }
    const decoder = new TextDecoder()
    for await (const chunk of answer.body) tap.take(decoder.decode(chunk as Buffer, { stream: true }))
  } catch (cause) {
    if (cause instanceof ForecacheError) throw cause
    if (!signal.aborted) {
      const reason = `no answer (${cause instanceof Error ? cause.message : String(cause)})`
      throw new ForecacheError('FC_CLI_API', { url: address, reason }, { cause })
    }
  }
  return tap.end()
}

/** Puts server-sent events together and makes accesses of them. */
function createTap(onAccess: (access: Access) => void): { take(text: string): void; end(): number } {
  const sizes = new Map<string, number>()
  const waiting = new Map<string, number>()
  let rest = ''
  let lost = 0
  const tell = (key: string, atMs: number): void => {
    const access = accessOf(key, atMs)
    if (access !== undefined) onAccess({ ...access, bytes: sizes.get(key) ?? -1 })
  }
  const onEvent = (name: string, payload: Readonly<Record<string, unknown>>): void => {
    const key = typeof payload['key'] === 'string' ? payload['key'] : ''
    if (name === 'dropped') lost += Number(payload['events'] ?? 1)
    else if (name === 'lookup:miss') waiting.set(key, Date.now())
    else if (name === 'keep:store') {
      if (sizes.size >= MAX_KEYS) sizes.clear()
      sizes.set(key, Number(payload['bytes']))
      const since = waiting.get(key)
      if (since !== undefined) tell(key, since)
      waiting.delete(key)
    } else if (name.startsWith('lookup:')) tell(key, Date.now())
    if (waiting.size > MAX_KEYS) waiting.clear()
  }
  return {
    take(text) {
      const frames = (rest + text).split('\n\n')
      rest = frames.pop() ?? ''
      for (const frame of frames) readFrame(frame, onEvent)
    },
    end() {
      for (const [key, since] of waiting) tell(key, since)
      return lost
    },
  }
}

function readFrame(frame: string, onEvent: (name: string, payload: Readonly<Record<string, unknown>>) => void): void {
  const name = /^event: (.*)$/m.exec(frame)?.[1]
  const data = /^data: (.*)$/m.exec(frame)?.[1]
  if (name === undefined || data === undefined) return
  try {
    const payload: unknown = JSON.parse(data)
    if (typeof payload === 'object' && payload !== null) onEvent(name, payload as Readonly<Record<string, unknown>>)
  } catch {
    // a frame of another version; what it would have told is missing, no more
  }
}

/** `http://shop/api/products?sort=price locale=de |…` as a request; undefined for keys of values that no door asked for. */
function accessOf(key: string, atMs: number): Access | undefined {
  const [base = '', ...dimensions] = key.split(' ')
  const target = base.replace(/^https?:\/\/[^/?#]*/i, '')
  if (target.charCodeAt(0) !== 0x2f) return undefined
  const traits = dimensions
    .map((text) => /^(header|cookie)\.([^=]+)=(.*)$/.exec(text))
    .filter((match) => match !== null)
    .map(([, kind, name, value]) => [`${kind}:${name}`, value ?? ''] as const)
  return { atMs, method: 'GET', target, status: 200, bytes: -1, client: '', digest: '', traits }
}
