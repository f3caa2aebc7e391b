/**
 * Where compressing pays: by what a body is, how large it is, and what came out.
 *
 * Floor 1, room wire. Pure. Below `MIN_BYTES` head and body leave in one or two segments anyway.
 */

/** Smaller bodies are left alone, bytes. */
export const MIN_BYTES = 1400

/** A coded body that is not at least this much smaller is not worth the memory. */
const MIN_GAIN = 0.1

const TYPES: ReadonlySet<string> = new Set([
  'application/json',
  'application/javascript',
  'application/ecmascript',
  'application/x-javascript',
  'application/xml',
  'application/wasm',
  'application/graphql',
  'application/manifest',
  'application/x-ndjson',
  'application/ndjson',
  'application/jsonl',
  'application/json-seq',
  'application/x-yaml',
  'application/yaml',
  'application/toml',
  'application/sql',
  'application/rtf',
  'application/x-www-form-urlencoded',
  'application/vnd.ms-fontobject',
  'application/x-font-ttf',
  'application/protobuf',
  'application/x-protobuf',
  'application/msgpack',
  'application/x-tar',
  'application/geo+json',
  'application/vnd.geo+json',
  'font/ttf',
  'font/otf',
  'font/collection',
  'image/bmp',
  'image/x-icon',
  'image/vnd.microsoft.icon',
  'model/gltf-binary',
])

/** Streams of events are for whoever opened them; they are never compressed as a whole. */
const NEVER: ReadonlySet<string> = new Set(['text/event-stream'])

/** Whether bodies of a Content-Type usually compress. @param extra further types, such as `application/x-mine` or `model/*` */
export function isCompressible(contentType: string | undefined, extra: readonly string[] = []): boolean {
  const type = essence(contentType)
  if (type === undefined || NEVER.has(type)) return false
  if (type.startsWith('text/') || type.endsWith('+json') || type.endsWith('+xml') || type.endsWith('+text')) return true
  if (TYPES.has(type)) return true
  return extra.some((one) => (one.endsWith('/*') ? type.startsWith(one.slice(0, -1)) : one === type))
}

/** Whether a coded body is enough smaller. */
export function isWorthIt(bytes: number, coded: number): boolean {
  return coded <= bytes * (1 - MIN_GAIN)
}

/** `Text/HTML; charset=utf-8` → `text/html`; undefined when it is no media type. */
function essence(contentType: string | undefined): string | undefined {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase()
  return type !== undefined && /^[a-z0-9!#$&^_.+-]+\/[a-z0-9!#$&^_.+-]+$/.test(type) ? type : undefined
}
