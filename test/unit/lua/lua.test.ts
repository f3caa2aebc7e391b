import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compileLua } from '../../../src/lua/compile.ts'
import { parseNumber, printNumber } from '../../../src/lua/number.ts'
import { createSandbox, shutGlobals } from '../../../src/lua/sandbox.ts'
import { LuaTable } from '../../../src/lua/table.ts'
import { LuaError, LuaTimeout, type LuaValue } from '../../../src/lua/value.ts'

function run(source: string, isOver = (): boolean => false): readonly LuaValue[] {
  const machine = createSandbox({ isOver, cpuSeconds: () => 0, seed: 1 })
  shutGlobals(machine)
  return compileLua(source, machine).call([])
}

describe('lua: the language', () => {
  it.each<readonly [string, readonly LuaValue[]]>([
    ['local a <const> = 1', []],
    ['return 1, nil, "x"', [1, undefined, 'x']],
    ['local f = {} for i = 1, 3 do f[i] = function() i = i + 1 return i end end return f[1](), f[1](), f[3]()', [2, 3, 4]],
    ['local function a(n) if n == 0 then return "end" end return a(n - 1) end return a(100)', ['end']],
    ['local t = {f = function(self, x) return self.v + x end, v = 2} return t:f(3)', [5]],
    ['local t = {1, 2, nil, 4} t[#t + 1] = 5 return t[1], t[4]', [1, 4]],
    ['local a, b, c = (function() return 1, 2, 3 end)() return c, b, a', [3, 2, 1]],
    ['return ((function() return 1, 2 end)())', [1]],
    ['local x = 1 do local x = 2 end return x', [1]],
    ['local s = 0 for _, v in ipairs({1, 2, 3, nil, 5}) do s = s + v end return s', [6]],
    ['return "a" == "a", 1 == "1", nil == false', [true, false, false]],
    ['return 1 .. 2, "10" + 5, "3" * "4"', ['12', 15, 12]],
    ['local t = {} t.x, t.y = 1, 2 return t.x + t.y', [3]],
  ])('runs %s', (source, expected) => {
    if (source.includes('<const>')) expect(() => run(source)).toThrow(LuaError)
    else expect(run(source)).toEqual(expected)
  })

  it('lets a table lose fields while it is walked through', () => {
    const [count] = run(
      'local t, n = {}, 0 for i = 1, 50 do t["k" .. i] = i end for k in pairs(t) do t[k] = nil n = n + 1 end return n, next(t)',
    )
    expect(count).toBe(50)
  })

  it('stops a loop, a recursion without end and a pattern that explodes', () => {
    expect(() => run('while true do end', () => true)).toThrow(LuaTimeout)
    expect(() => run('return pcall(function() while true do end end)', () => true)).toThrow(LuaTimeout)
    expect(() => run('local function f() return 1 + f() end return f()')).toThrow('stack overflow')
    let steps = 0
    const source = `return (string.rep("a", 60)):find(string.rep("a-", 60) .. "b")`
    expect(() => run(source, () => (steps += 1) > 20)).toThrow(LuaTimeout)
  })

  it('never fails in another way than by an error of Lua, whatever it is given to read', () => {
    const word = fc.constantFrom(
      ...'local x = 1 function end ( ) { } [ ] , ; . .. ... : + - * / ^ % == ~= < if then else do while for in return nil "s" \'q [[l]] -- not and or # 1e 0x 5'.split(
        ' ',
      ),
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 25 }), (words) => {
        try {
          const machine = createSandbox({ isOver: () => true, cpuSeconds: () => 0, seed: 1 })
          compileLua(words.join(' '), machine)
        } catch (error) {
          expect(error).toBeInstanceOf(LuaError)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('lua: tables', () => {
  it('hold what a Map holds, with a border for a length', () => {
    const key = fc.oneof(fc.integer({ min: -2, max: 12 }), fc.constantFrom('a', 'b', '1'))
    fc.assert(
      fc.property(fc.array(fc.tuple(key, fc.option(fc.nat(9), { nil: undefined })), { maxLength: 60 }), (changes) => {
        // Arrange
        const table = new LuaTable()
        const map = new Map<string | number, number>()

        // Act
        for (const [name, value] of changes) {
          table.set(name, value)
          if (value === undefined) map.delete(name)
          else map.set(name, value)
        }

        // Assert
        expect(new Map(table.entries())).toEqual(map)
        for (let i = -2; i <= 13; i += 1) expect(table.get(i)).toBe(map.get(i))
        const border = table.length
        expect(border === 0 || map.has(border)).toBe(true)
        expect(map.has(border + 1)).toBe(false)
      }),
    )
  })
})

describe('lua: numbers', () => {
  it('prints 14 digits as C does, and reads what it printed', () => {
    expect([1e14, 1e15, 0.1, 1 / 3, 100, -0.5, 2 ** 53, 1e-5, 123456.789e3].map(printNumber)).toEqual([
      '1e+14',
      '1e+15',
      '0.1',
      '0.33333333333333',
      '100',
      '-0.5',
      '9.007199254741e+15',
      '1e-05',
      '123456789',
    ])
    fc.assert(
      fc.property(fc.integer(), (value) => {
        expect(parseNumber(printNumber(value))).toBe(value)
      }),
    )
  })
})
