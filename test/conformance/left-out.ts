/**
 * Tests of the suite that are left out, by id and with the reason. docs/reference/conformance.md tells them at length.
 */

/** A reason for ids. */
export interface LeftOut {
  readonly ids: readonly string[]
  readonly reason: string
}

/** In the npm release 0.4.5 alone: what the current state of the suite has turned round or no longer asks. */
export const RELEASE_LEFT_OUT: readonly LeftOut[] = [
  {
    ids: [
      'nonnumeric',
      'negative',
      'float',
      'prefix-twoline',
      'dup-0',
      'dup-0-twoline',
      'dup-old',
      'parameter',
      'numeric-parameter',
    ].map((id) => `age-parse-${id}`),
    reason: 'RFC 9111 section 5.1: an invalid Age is ignored, of several the first counts; 0.4.5 wants both to be stale',
  },
  {
    ids: ['must-revalidate', 'proxy-revalidate', 'no-cache', 's-maxage=2'].map((id) => `stale-close-${id}`),
    reason: '0.4.5 waits for an answer of the origin that it has just disconnected from; rewritten in the current suite',
  },
  {
    ids: ['304-etag-update-response-ETag'],
    reason:
      'RFC 9111 section 4.3.4: a 304 with another strong ETag speaks of another representation and freshens nothing; 0.4.5 wants it to',
  },
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
  return tables.find(({ ids }) => ids.includes(id))?.reason
}
