import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { runIdOf } from '../../../src/register/run-id.ts'
import { drawerOf, hasMember, memberName, ONE_KEY, ONE_MEMBER, View, wordsName } from '../../../src/register/view.ts'

const words = fc.array(
  fc.oneof(
    fc.string(),
    fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
  ),
  { maxLength: 4 },
)

describe('register: names of what is kept', () => {
  it('never gives two commands one name', () => {
    const command = fc.tuple(fc.constantFrom('get', 'mget', 'GET'), words)
    fc.assert(
      fc.property(command, command, ([one, oneArgs], [other, otherArgs]) => {
        const isSame = one === other && JSON.stringify(oneArgs) === JSON.stringify(otherArgs)
        expect(wordsName(one, oneArgs) === wordsName(other, otherArgs)).toBe(isSame)
      }),
    )
  })

  it('never gives two pairs of a key and a member one name', () => {
    const pair = fc.tuple(fc.string(), fc.string())
    fc.assert(
      fc.property(pair, pair, (one, other) => {
        expect(memberName(...one) === memberName(...other)).toBe(one[0] === other[0] && one[1] === other[1])
      }),
    )
  })

  it('names no command with a word that is neither text nor bytes', () => {
    expect(wordsName('get', [7])).toBeUndefined()
  })

  it('has a drawer of its own for each reading of one key', () => {
    const indexes = [...ONE_KEY, ...ONE_MEMBER].map((name) => drawerOf(name))
    expect(indexes).toEqual(indexes.map((_, i) => i))
    expect(indexes.filter((index) => hasMember(index as number))).toHaveLength(ONE_MEMBER.length)
    expect(drawerOf('GET')).toBeUndefined()
    expect(new Set(new View({ database: 0, prefix: '' }).all()).size).toBe(indexes.length + 1)
  })
})

describe('register: the run of a server', () => {
  it('is read from INFO, as text or bytes', () => {
    const info = '# Server\r\nredis_version:7.0.15\r\nrun_id:0123abcd\r\ntcp_port:6379\r\n'
    expect(runIdOf(info)).toBe('0123abcd')
    expect(runIdOf(Buffer.from(info))).toBe('0123abcd')
    expect(runIdOf('# Server\r\n')).toBe('')
    expect(runIdOf(new Error('NOPERM'))).toBe('')
  })
})
