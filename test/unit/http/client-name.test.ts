import { describe, expect, it } from 'vitest'
import { createClientName } from '../../../src/http/client-name.ts'
import { Fields } from '../../../src/model/fields.ts'

const SECRET = Buffer.alloc(32, 1)

describe('telling clients apart', () => {
  it.each([
    ['address', { 'x-forwarded-for': '10.0.0.1' }],
    [{ cookie: 'sid' }, { cookie: 'a=b; sid=10.0.0.1' }],
    [{ header: 'X-Session' }, { 'x-session': '10.0.0.1' }],
  ] as const)('by %j gives a digest, the same for the same client in this process alone', (source, fields) => {
    const name = createClientName(source, SECRET)
    const digest = name(Fields.from(fields))
    expect(digest).toMatch(/^[\w-]{16}$/)
    expect(name(Fields.from(fields))).toBe(digest)
    expect(digest).not.toContain('10.0.0.1')
    expect(createClientName(source)(Fields.from(fields))).not.toBe(digest)
  })

  it('names nobody who does not say, or says two things', () => {
    expect(createClientName('address')(Fields.from())).toBeUndefined()
    expect(createClientName({ header: 'x' })(Fields.from({ x: '' }))).toBeUndefined()
    expect(createClientName({ cookie: 'sid' })(Fields.from({ cookie: 'sid=1; sid=2' }))).toBeUndefined()
  })
})
