import { describe, expect, it } from 'vitest'
import { setToken, tokenOf } from '../../../src/http/token.ts'
import type { Policy } from '../../../src/http/policy.ts'
import { Fields } from '../../../src/model/fields.ts'

function policy(readYourWrites: Policy['readYourWrites']): Policy {
  return { readYourWrites } as Policy
}

function bearing(...lines: (readonly [string, string])[]): { fields: Fields } {
  const fields = Fields.from()
  for (const [name, value] of lines) fields.append(name, value)
  return { fields }
}

describe('version tokens at the door', () => {
  it('are read from the field, and from a cookie only where the route says so', () => {
    const field = bearing(['forecache-token', 'g.7'])
    const cookie = bearing(['cookie', 'a=1; forecache-token=g.8; b=2'])
    expect(tokenOf(field, policy(true))).toBe('g.7')
    expect(tokenOf(field, policy(false))).toBeUndefined()
    expect(tokenOf(cookie, policy(true))).toBeUndefined()
    expect(tokenOf(cookie, policy('cookie'))).toBe('g.8')
    expect(tokenOf(bearing(['cookie', 'not-forecache-token=g.8']), policy('cookie'))).toBeUndefined()
    expect(tokenOf(bearing(['cookie', `forecache-token=${'x'.repeat(500)}`]), policy('cookie'))).toBeUndefined()
  })

  it('are given as they are read', () => {
    const heads = ([true, 'cookie', false] as const).map((wish) => {
      const head = { status: 200, statusText: '', fields: Fields.from() }
      setToken(head, policy(wish), 'g.9')
      return [head.fields.get('forecache-token'), head.fields.get('set-cookie')]
    })
    expect(heads).toEqual([
      ['g.9', undefined],
      ['g.9', 'forecache-token=g.9; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax'],
      [undefined, undefined],
    ])
  })
})
