/**
 * Every error thrown on purpose: one catalogue, one class, a stable code to branch on.
 *
 * Floor 0, room model. Texts say what was expected, what was given and what to do.
 */

const CATALOGUE = {
  FC_OPTION_UNKNOWN: { status: 500, text: '{name}: unknown option; known here: {known}' },
  FC_OPTION_TYPE: { status: 500, text: '{name}: expected {expected}, given {given}' },
  FC_OPTION_RANGE: { status: 500, text: '{name}: {given} is outside {min} to {max}' },
  FC_OPTION_DURATION: {
    status: 500,
    text: '{name}: expected a duration such as 250ms, 30s, 2m, 1h or milliseconds, given {given}',
  },
  FC_OPTION_SIZE: { status: 500, text: '{name}: expected a size such as 64KiB, 256MiB or bytes, given {given}' },
  FC_OPTION_VALUE: { status: 500, text: '{name}: {reason}' },
  FC_KEY_TYPE: { status: 500, text: 'key: expected a non-empty string of at most {max} characters, given {given}' },
  FC_KEY_DATA: { status: 500, text: 'key: expected JSON data, given {given}; name what decides the answer as plain values' },
  FC_TAG_TYPE: {
    status: 500,
    text: 'tag: expected a non-empty string without white space of at most 1024 characters, given {given}',
  },
  FC_EVENT_UNKNOWN: {
    status: 400,
    text: 'event {given}: no rule maps it to tags; declare it in `events` or invalidate tags directly',
  },
  FC_VALUE_CLONE: {
    status: 500,
    text: '{key}: the value cannot be cloned ({reason}); answer plain data, or set values: "reference"',
  },
  FC_VALUE_FORM: { status: 406, text: 'the value cannot be given as bytes: {reason}; read it with the library' },
  FC_LOAD_TIMEOUT: { status: 504, text: '{key}: the loader gave no answer within {ms} ms' },
  FC_LOAD_FAILED: { status: 502, text: '{key}: the loader failed and nothing stale may be served' },

  FC_FLIGHT_FULL: { status: 503, text: '{key}: {max} callers wait for this load already' },
  FC_CALLER_GONE: { status: 499, text: '{key}: every caller has gone; the load was cancelled' },
  FC_CACHE_CLOSED: { status: 500, text: 'the cache is closed; create a new one' },
  FC_ORIGIN_TIMEOUT: { status: 504, text: 'origin gave no answer within {ms} ms' },
  FC_ORIGIN_REFUSED: { status: 502, text: 'origin could not be reached: {reason}' },
  FC_ORIGIN_BROKEN: { status: 502, text: 'origin broke off its answer: {reason}' },
  FC_ORIGIN_UNPROVEN: {
    status: 504,
    text: 'what is stored may not be served without validation, and the origin failed: {reason}',
  },
  FC_ORIGIN_BUSY: { status: 503, text: 'origin: {max} requests are under way or waiting already; try later' },
  FC_REQUEST_BAD: { status: 400, text: 'request refused: {reason}' },
  FC_REQUEST_METHOD: { status: 405, text: '{method}: not served by this gateway' },
  FC_REQUEST_VERSION: { status: 505, text: 'HTTP/{given}: only HTTP/1.0 and HTTP/1.1 are spoken here' },
  FC_REQUEST_CODING: { status: 501, text: 'Transfer-Encoding {given}: only chunked is understood' },
  FC_REQUEST_TIMEOUT: { status: 408, text: 'the request did not arrive within {ms} ms' },
  FC_REQUEST_ABORTED: { status: 400, text: 'the client broke its request off' },
  FC_REQUEST_EXPECT: { status: 417, text: 'Expect {given}: only 100-continue is understood' },
  FC_REQUEST_LOOP: { status: 508, text: 'the request came back to this gateway: the origin leads here' },
  FC_TARGET_TOO_LONG: { status: 414, text: 'request target exceeds {max} bytes' },
  FC_HEADERS_TOO_MANY: { status: 431, text: 'request has more than {max} header fields' },
  FC_GATEWAY_BUSY: { status: 503, text: '{reason}; try later' },
  FC_REQUEST_TOO_LARGE: { status: 413, text: 'request body exceeds {max} bytes' },
  FC_HEADERS_TOO_LARGE: { status: 431, text: 'request header fields exceed {max} bytes' },
  FC_CONFIG_SYNTAX: { status: 500, text: '{file}:{line}:{column}: {reason}' },
  FC_CONFIG_VALUE: { status: 500, text: '{file}:{line}:{column}: {reason}' },
  FC_CONFIG_FILE: { status: 500, text: '{file}: {reason}' },
  FC_API_BODY: { status: 400, text: 'body: {reason}' },
  FC_API_KEY: { status: 401, text: 'an API key is needed: send x-api-key or Authorization: Bearer' },
  FC_API_QUERY: { status: 400, text: 'query {name}: {reason}' },
  FC_API_FIELD: { status: 400, text: 'header field {name}: {reason}' },
  FC_API_CODING: { status: 415, text: 'Content-Encoding {given}: send the value as it is; codings are made here' },
  FC_API_BUSY: { status: 503, text: '{what}: {max} are open already; close one or try again later' },
  FC_API_FOREIGN: { status: 403, text: 'the request comes from another site or names a foreign host; set api keys to allow it' },
  FC_API_ROUTE: { status: 404, text: '{method} {path}: no such endpoint' },
  FC_API_METHOD: { status: 405, text: '{method} {path}: allowed here: {allow}' },
  FC_CACHE_KEY: { status: 400, text: 'key: {reason}' },
  FC_CACHE_ABSENT: { status: 404, text: 'nothing is stored under this key' },
  FC_CACHE_CONDITION: { status: 412, text: '{name}: does not hold for what stands under this key' },
  FC_CACHE_UNACCEPTABLE: { status: 406, text: 'Accept-Encoding {given}: refuses every form of this value, as it is included' },
  FC_CACHE_TOO_LARGE: { status: 413, text: 'the value has {given} bytes; at most {max} are taken' },
  FC_CACHE_ANSWER_FULL: { status: 413, text: 'the answer would exceed {max} bytes; ask for this key again in another batch' },
  FC_CACHE_FULL: {
    status: 507,
    text: 'the value of {bytes} bytes was refused by the memory limit or the eviction policy; nothing stands under the key',
  },
  FC_CACHE_BLIND: {
    status: 503,
    text: 'nothing can be stored while this process does not hear what others invalidate; nothing stands under the key, try again',
  },
  FC_CACHE_NAMESPACES: { status: 507, text: 'namespace {given}: {max} are in use already; use one of those' },
  FC_TLS_FILE: { status: 500, text: '{name}: {file} cannot be read: {reason}; name a PEM file that this process may read' },
  FC_TLS_PEM: { status: 500, text: '{name}: {file} is not what it should be, in PEM form: {reason}' },
  FC_TLS_MISMATCH: {
    status: 500,
    text: '{name}: the key in {key} does not belong to the certificate in {cert}; put the certificate itself first, its chain behind it',
  },
  FC_LISTEN_EXPOSED: { status: 500, text: '{name}: {given} is not loopback; set api keys or pass --insecure' },
  FC_LISTEN_FAILED: {
    status: 500,
    text: '{given}: {reason}; choose another address with --listen and --api, or port 0 for a free one',
  },
  FC_L2_DOWN: { status: 503, text: 'second level {address}: {reason}; it is tried again without being asked' },
  FC_L2_TIMEOUT: { status: 503, text: 'second level {address}: no reply within {ms} ms' },
  FC_L2_REPLY: { status: 502, text: 'second level: {command} was refused: {reason}' },
  FC_L2_ENVELOPE: { status: 502, text: 'second level: an entry cannot be read: {reason}; it counts as absent' },
  FC_L2_BUSY: { status: 503, text: 'second level {address}: {max} calls wait for a reply already' },
  FC_LINK_DOWN: { status: 503, text: 'shared log {address}: {reason}; it is tried again without being asked' },
  FC_LINK_TIMEOUT: { status: 503, text: 'shared log {address}: no reply within {ms} ms' },
  FC_LINK_REPLY: { status: 502, text: 'shared log: {subject} was refused: {reason}' },
  FC_LINK_CREDENTIALS: {
    status: 500,
    text: '{name}: {file} cannot be used: {reason}; name a .creds file or one with the seed of an nkey, that this process may read',
  },
  FC_LINK_PEER: { status: 500, text: 'a log over NATS needs {name}, which is not installed; run: npm install {name}' },
  FC_RESP_EXPOSED: {
    status: 500,
    text: 'resp.listen: {given} is not loopback and nobody has to log in; set resp.password, name an upstream with a password, ask for certificates (resp.tls.ca), or pass --insecure',
  },
  FC_RESP_DOWN: {
    status: 503,
    text: 'the Redis door {name}: no reply in time, or the connection to what stands behind it is gone',
  },
  FC_RESP_REPLY: { status: 502, text: 'the Redis door: {command} was refused: {reason}' },
  FC_MOUNT_TYPE: {
    status: 409,
    text: '{key}: what stands under it in Redis is no string; lists, hashes and their like are for clients of Redis',
  },
  FC_MOUNT_VALUE: {
    status: 500,
    text: '{key}: a value of Redis is text or bytes, given {given}; make it one, as with JSON.stringify',
  },
  FC_MOUNT_LOAD: {
    status: 500,
    text: 'namespace {name}: its values stand in Redis, where nothing is loaded into from here; get, and set what is not there',
  },
  FC_MOUNT_KEY: { status: 400, text: '{key}: its value stands in Redis; name it there, as in namespace {name}' },
  FC_MOUNT_NONE: {
    status: 503,
    text: 'namespace {name}: no client of this process is connected to {server}; connect one, or create the cache with redis: false',
  },
  FC_MOUNT_WHICH: {
    status: 500,
    text: 'namespace {name}: clients of this process talk to {known}; say which is meant with createCache({ redis: { server } })',
  },
  FC_MOUNT_FULL: {
    status: 507,
    text: '{key}: there is no room to remember tags and windows of further values; write it without, or fewer',
  },
  FC_MOUNT_CONTENDED: { status: 503, text: '{key}: changed by others {times} times while it was judged; try again' },
  FC_LINK_BLIND: {
    status: 503,
    text: 'the shared log is out of sight and the policy is to fail; it is tried again without being asked',
  },
  FC_SCALER_FAILED: { status: 502, text: 'scaler {name}: {reason}' },
  FC_SCALER_REFUSED: { status: 409, text: 'scaler {name} refused the order: {reason}' },
  FC_SCALER_PEER: { status: 500, text: '{purpose} needs {name}, which is not installed; run: npm install {name}' },
  FC_SNAPSHOT_FILE: { status: 500, text: 'the snapshot cannot be read: {reason}; it is left out' },
  FC_KEYSPACE_SNAPSHOT: {
    status: 500,
    text: 'the snapshot {path} cannot be read: {reason}',
  },
  FC_KEYSPACE_OWNED: {
    status: 500,
    text: 'the snapshot {path} belongs to another process that runs; end it, or name another file in resp.snapshot.file',
  },
  FC_WORKER_START: { status: 500, text: 'worker {worker} ended before it listened: {reason}; what it said stands in the log' },
  FC_REGISTER_CLIENT: { status: 500, text: 'wrap: the client is left alone: {reason}' },
  FC_CLI_USAGE: { status: 500, text: '{reason}' },
  FC_CLI_FILE: { status: 500, text: '{file}: {reason}' },
  FC_CLI_API: { status: 502, text: '{url}: {reason}' },
  FC_CLI_CHILD: { status: 500, text: '{reason}; the last it wrote: {written}' },
  FC_CLI_PEER: { status: 500, text: '{purpose} needs {name}, which is not installed; run: npm install {name}' },
} as const satisfies Record<string, { status: number; text: string }>

/** Stable names of all errors. */
export type ErrorCode = keyof typeof CATALOGUE
/** Values put into the catalogue's text; kept on the error. */
export type Detail = Readonly<Record<string, string | number>>

/** All codes, for the reference page and the test that compares them. */
export const ERROR_CATALOGUE: Readonly<Record<ErrorCode, { readonly status: number; readonly text: string }>> = CATALOGUE

/** Every error thrown on purpose. Branch on `code`, a stable name; `message` may change in any release. */
export class ForecacheError extends Error {
  override readonly name = 'ForecacheError'
  readonly code: ErrorCode
  /** HTTP status that the doors answer with when nothing stale may be served. */
  readonly status: number
  readonly detail: Detail

  /**
   * @param code a name of the catalogue
   * @param detail what the text names: given, expected, limits
   * @param options carries `cause`
   */
  constructor(code: ErrorCode, detail: Detail = {}, options?: ErrorOptions) {
    const { text, status } = CATALOGUE[code]
    super(`${code}: ${text.replace(/\{(\w+)\}/g, (_, name: string) => clip(detail[name] ?? '?'))}`, options)
    this.code = code
    this.status = status
    this.detail = detail
  }
}

function clip(given: string | number): string {
  const text = String(given)
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}

/** Text of anything at all, for errors: objects without a text of their own are named by their type. */
export function textOf(given: unknown): string {
  try {
    return String(given)
  } catch {
    return typeof given
  }
}
