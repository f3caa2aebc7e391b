/**
 * An entry whose write hung on its way while the store's clock was set back looked as young as the writer had told, and was served as
 * much longer than its budget as the write had been under way.
 */
import { describe, expect, it } from 'vitest'
import { Drill } from '../model/drill/drill.ts'
import { DrillNode } from '../model/drill/node.ts'

const SEED = 11_627_189

describe('a write that comes late to a store whose clock was set back', () => {
  it(`makes nothing young in the drill that found it, seed ${SEED}`, () => {
    const drill = new Drill({ name: 'forecache', create: (world, name) => new DrillNode(world, name) })

    expect(drill.run(SEED)).toEqual([])
  })
})
