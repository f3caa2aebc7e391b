import { describe, expect, it } from 'vitest'
import { Fields } from '../../../src/model/fields.ts'
import { decideUse, mayStandIn, requestControl, type Standing } from '../../../src/rules/reuse.ts'

const OPEN = { whileMs: 5000, ifErrorMs: 9000, disconnectedMs: 0, onRequest: true }
const CLOSED = { whileMs: 0, ifErrorMs: 0, disconnectedMs: 0, onRequest: false }

function standing(ageMs: number, more: Partial<Standing> = {}): Standing {
  return { ageMs, lifetimeMs: 60_000, windows: CLOSED, alwaysValidate: false, softened: false, ...more }
}

const asked = (value?: string, pragma?: string): ReturnType<typeof requestControl> =>
  requestControl(Fields.from({ 'cache-control': value, pragma }))

describe('reuse of a stored response (RFC 9111 sections 4 and 5.2.1)', () => {
  it.each<[Standing, string | undefined, string]>([
    [standing(59_999), undefined, 'serve'],
    [standing(60_000), undefined, 'validate'],
    [standing(61_000, { windows: OPEN }), undefined, 'behind'],
    [standing(65_000, { windows: OPEN }), undefined, 'validate'],
    [standing(1000, { alwaysValidate: true }), undefined, 'validate'],
    [standing(1000, { softened: true }), undefined, 'validate'],
    [standing(1000, { softened: true, windows: OPEN }), undefined, 'behind'],
    [standing(1000), 'no-cache', 'validate'],
    [standing(1000), 'max-age=0', 'validate'],
    [standing(1000), 'max-age=1', 'serve'],
    [standing(1001), 'max-age=1', 'validate'],
    [standing(10_000), 'min-fresh=50', 'serve'],
    [standing(10_001), 'min-fresh=50', 'validate'],
    [standing(70_000, { windows: OPEN }), 'max-stale=10', 'stale'],
    [standing(70_001, { windows: OPEN }), 'max-stale=10', 'validate'],
    [standing(70_000, { windows: CLOSED }), 'max-stale', 'validate'],
    [standing(900_000, { windows: OPEN }), 'max-stale', 'stale'],
    [standing(62_000, { windows: OPEN }), 'max-age=61', 'validate'],
    [standing(1000), 'x="', 'validate'],
    [standing(1000, { softened: true, windows: OPEN }), 'max-stale', 'behind'],
  ])('decides %j for %s: %s', (given, value, use) => {
    expect(decideUse(given, asked(value))).toBe(use)
  })
})

describe('Pragma (RFC 9111 section 5.4)', () => {
  it('means no-cache where there is no Cache-Control, and nothing where there is', () => {
    expect(asked(undefined, 'no-cache').noCache).toBe(true)
    expect(asked(undefined, 'x, No-Cache').noCache).toBe(true)
    expect(asked(undefined, 'no-cached').noCache).toBe(false)
    expect(asked('max-age=5', 'no-cache').noCache).toBe(false)
  })
})

describe('standing in for a failing origin (RFC 5861 section 4)', () => {
  it('is allowed inside stale-if-error, and inside stale-while-revalidate', () => {
    expect(mayStandIn(standing(68_999, { windows: OPEN }), false)).toBe(true)
    expect(mayStandIn(standing(69_000, { windows: OPEN }), false)).toBe(false)
    expect(mayStandIn(standing(64_000, { windows: { ...OPEN, ifErrorMs: 0 } }), false)).toBe(true)
  })

  it('is allowed to a disconnected cache only where its profile says so', () => {
    const windows = { ...CLOSED, disconnectedMs: 1000 }
    expect(mayStandIn(standing(60_500, { windows }), true)).toBe(true)
    expect(mayStandIn(standing(60_500, { windows }), false)).toBe(false)
  })

  it('is never allowed for what must be validated, nor for a softened response without windows', () => {
    expect(mayStandIn(standing(1, { windows: OPEN, alwaysValidate: true }), true)).toBe(false)
    expect(mayStandIn(standing(1, { softened: true }), true)).toBe(false)
  })
})
