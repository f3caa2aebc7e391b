import { describe, expect, it } from 'vitest'
import { ACCOUNT, ACCOUNT_NAMES, bytesBeside, Ledger } from '../../../src/model/ledger.ts'
import { createRandom } from '../../../src/model/random.ts'

describe('ledger: bytes held outside of entries', () => {
  it('keeps the balance of each account and the sum of all', () => {
    const ledger = new Ledger()

    ledger.charge(ACCOUNT.fills, 1000)
    ledger.charge(ACCOUNT.lane, 50)
    ledger.release(ACCOUNT.fills, 400)

    expect([ledger.of(ACCOUNT.fills), ledger.of(ACCOUNT.lane), ledger.total]).toEqual([600, 50, 650])
  })

  it('takes over the balance of a holder that knows its own sum', () => {
    const ledger = new Ledger()
    ledger.charge(ACCOUNT.flights, 10)

    ledger.set(ACCOUNT.connections, 5000)
    ledger.set(ACCOUNT.connections, 2000)

    expect([ledger.of(ACCOUNT.connections), ledger.total]).toEqual([2000, 2010])
  })

  it('is empty again when everything charged was released, whatever the order (seed 5)', () => {
    const ledger = new Ledger()
    const random = createRandom(5)
    const open: [number, number][] = []
    for (let i = 0; i < 10_000; i += 1) {
      if (open.length > 0 && random() < 0.5) {
        const [[account, bytes]] = open.splice(Math.floor(random() * open.length), 1) as [[number, number]]
        ledger.release(account, bytes)
      } else {
        const charged: [number, number] = [Math.floor(random() * ACCOUNT_NAMES.length), Math.floor(random() * 1e6)]
        open.push(charged)
        ledger.charge(...charged)
      }
      expect(ledger.total).toBe(open.reduce((sum, [, bytes]) => sum + bytes, 0))
    }
    for (const [account, bytes] of open) ledger.release(account, bytes)

    expect(Object.values(ledger.list())).toEqual(ACCOUNT_NAMES.map(() => 0))
    expect(ledger.total).toBe(0)
  })

  it('finds beside a value only what is a number of bytes', () => {
    expect([{ besideBytes: 12 }, { besideBytes: 'x' }, {}, null, 'text', 7, undefined].map(bytesBeside)).toEqual([
      12, 0, 0, 0, 0, 0, 0,
    ])
  })
})
