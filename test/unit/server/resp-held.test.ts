import { expect, test } from 'vitest'
import { createVirtualClock } from '../../../src/model/virtual-clock.ts'
import { HeldByClients } from '../../../src/server/resp-held.ts'
import type { RespClient } from '../../../src/server/resp-listener.ts'

const MIB = 1024 * 1024
const EACH = 16 * 1024

function crowd(...held: number[]): { readonly clients: Set<RespClient>; readonly cut: number[] } {
  const cut: number[] = []
  const clients = new Set<RespClient>()
  for (const [i, heldBytes] of held.entries()) {
    const client: RespClient = {
      isOwed: false,
      heldBytes,
      end: () => undefined,
      destroy: () => {
        cut.push(i)
        clients.delete(client)
      },
    }
    clients.add(client)
  }
  return { clients, cut }
}

test('what clients hold is summed four times a second, connections included', async () => {
  const clock = createVirtualClock()
  const { clients, cut } = crowd(5 * MIB, 10)
  const held = new HeldByClients({ clients, clock, isOver: () => false, onCut: () => undefined })
  expect(held.bytes).toBe(0)
  await clock.advance(250)
  expect(held.bytes).toBe(5 * MIB + 10 + 2 * EACH)
  held.stop()
  clients.clear()
  await clock.advance(1000)
  expect(held.bytes).toBe(5 * MIB + 10 + 2 * EACH)
  expect(cut).toEqual([])
})

test('while the process holds too much, the heaviest client goes, one a look; who holds little stays', async () => {
  const clock = createVirtualClock()
  const { clients, cut } = crowd(2 * MIB, MIB, 9 * MIB, 0)
  let cuts = 0
  const held = new HeldByClients({ clients, clock, isOver: () => true, onCut: () => (cuts += 1) })
  await clock.advance(250)
  expect(cut).toEqual([2])
  await clock.advance(1000)
  expect(cut).toEqual([2, 0])
  expect(cuts).toBe(2)
  held.stop()
})
