import { describe, expect, it } from 'vitest'
import { renderTree } from '../../../src/cli/explain.ts'
import { renderTable, showMs } from '../../../src/cli/io.ts'

describe('io: tables for people', () => {
  it('puts numbers to the right and words to the left', () => {
    const table = renderTable([
      ['route', 'hits', 'p50'],
      ['catalogue', 12, '1.50 ms'],
      ['x', 1234, '–'],
    ])

    expect(table.split('\n')).toEqual(['route      hits      p50', 'catalogue    12  1.50 ms', 'x          1234        –'])
  })

  it('shows three digits that count', () => {
    expect([0.01234, 1.2345, 12.345, 123.45, Number.NaN].map(showMs)).toEqual(['0.012 ms', '1.23 ms', '12.3 ms', '123 ms', '–'])
  })

  it('prints whatever the administration says: nothing is left out', () => {
    const text = renderTree({
      reason: 'fresh',
      left: { freshMs: 12.34567, tags: [] },
      routes: [
        { route: 'a', hits: 1 },
        { route: 'bb', hits: 22 },
      ],
      none: null,
      tags: ['a'.repeat(60), 'b'.repeat(60)],
    })

    expect(text).toBe(
      [
        'reason  fresh',
        'left',
        '  freshMs  12.35',
        '  tags     none',
        'routes',
        '  route  hits',
        '  a         1',
        '  bb       22',
        'none    –',
        'tags',
        `  ${'a'.repeat(60)}`,
        `  ${'b'.repeat(60)}`,
      ].join('\n'),
    )
  })
})
