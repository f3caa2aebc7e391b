import { describe, expect, it } from 'vitest'
import { inferDimensions } from '../../../src/advice/infer.ts'
import { Intake } from '../../../src/advice/intake.ts'
import { KNOWN_ROUTES, knownLog } from '../../support/known-log.ts'

describe.each([
  { digests: true, seed: 1 },
  { digests: false, seed: 2 },
])('dimensions of a log whose truth is known, %j', ({ digests, seed }) => {
  const intake = new Intake()
  for (const access of knownLog({ seed, lines: 120_000, everyMs: 30, digests })) intake.take(access)
  const books = intake.end()

  it('finds every pattern of paths, and no other', () => {
    expect(books.map(({ table }) => table.pattern).sort()).toEqual(KNOWN_ROUTES.map(({ pattern }) => pattern).sort())
  })

  it.each(KNOWN_ROUTES.map((route) => [route.pattern, route] as const))('tells what decides %s', (pattern, truth) => {
    const book = books.find(({ table }) => table.pattern === pattern)
    const found = inferDimensions((book as (typeof books)[number]).table)
    const named = (verdict: string): string[] => found.filter((one) => one.verdict === verdict).map(({ name }) => name)
    expect(named('deciding').sort(), JSON.stringify(found)).toEqual([...truth.deciding].sort())
    expect(named('irrelevant'), JSON.stringify(found)).toEqual(expect.arrayContaining([...truth.irrelevant]))
  })
})
