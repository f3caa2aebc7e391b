import { describe, expect, it } from 'vitest'
import { Turn } from '../../../src/register/turn.ts'

describe('register: turns of the event loop', () => {
  it('ends the hits of one turn after 10 ms, and begins anew with the next', async () => {
    const turn = new Turn()
    expect([turn.allows(100), turn.allows(109.9), turn.allows(110), turn.allows(200)]).toEqual([true, true, false, false])
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setImmediate(resolve))
    expect([turn.allows(200), turn.allows(209), turn.allows(211)]).toEqual([true, true, false])
  })
})
