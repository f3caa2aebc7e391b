/**
 * Tests of the suite that are left out, by id and with the reason. docs/reference/conformance.md tells them at length.
 */

/** A reason for ids; a trailing `*` matches any rest. */
export interface LeftOut {
  readonly ids: readonly string[]
  readonly reason: string
}

/** In the npm release 0.4.5 alone: what the current state of the suite has turned round or no longer asks. */
export const RELEASE_LEFT_OUT: readonly LeftOut[] = [
  {
    ids: ['age-parse-*'],
    reason: 'RFC 9111 section 5.1: an invalid Age is ignored, of several the first counts; 0.4.5 wants both to be stale',
  },
  {
    ids: ['freshness-expires-invalid-*'],
    reason: 'the current suite takes the case of names freely and calls every other deviation invalid; 0.4.5 differs on both',
  },
  {
    ids: ['stale-close-*', 'stale-sie-503'],
    reason: '0.4.5 compares a broken connection with an answer; the current suite asks that nothing stored comes back',
  },
  {
    ids: ['conditional-etag-vary-headers-mismatch'],
    reason: 'required not to send the tag of another variant in 0.4.5, only looked at in the current suite',
  },
  {
    ids: ['304-etag-update-response-ETag'],
    reason:
      'RFC 9111 section 4.3.4: a 304 with another strong ETag speaks of another representation and freshens nothing; 0.4.5 wants it to',
  },
  { ids: ['surrogate-*'], reason: 'the Surrogate-Control section is gone from the current suite, replaced by CDN-Cache-Control' },
]

/** In every version. */
export const OPTIMAL_LEFT_OUT: readonly LeftOut[] = [
  {
    ids: ['conditional-lm-fresh-no-lm'],
    reason: 'RFC 9111 section 4.3.2: without Last-Modified, Date is compared, and it is later than the given time',
  },
]

/** Required tests that the safe profile fails on purpose. */
export const SAFE_LEFT_OUT: readonly LeftOut[] = [
  { ids: ['headers-store-Set-Cookie', '304-etag-update-response-Set-Cookie'], reason: 'cookies are never replayed to others' },
  {
    ids: ['stale-close-must-revalidate', 'stale-close-proxy-revalidate', 'stale-close-no-cache', 'stale-close-s-maxage=2'],
    reason:
      'they count only where stale answers are served unasked when the origin is cut off (stale-close), which safe never does; the tests themselves pass',
  },
  { ids: ['304-etag-update-response-Content-Type'], reason: 'stored bytes keep the type they came with' },
]

/** The reason why a test is left out; undefined: it is asked for. */
export function reasonFor(id: string, tables: readonly LeftOut[]): string | undefined {
  return tables.find(({ ids }) => ids.some((one) => (one.endsWith('*') ? id.startsWith(one.slice(0, -1)) : one === id)))?.reason
}
