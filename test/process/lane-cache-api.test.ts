/**
 * The same conversations with the native cache API through the lane and through `node:http` alone.
 *
 * FORECACHE_LANE_RUNS, FORECACHE_LANE_SEED: see lane-differential.
 */
import { describe, expect, it, onTestFinished } from 'vitest'
import { anyCacheTalk, API_KEY, cacheDoor } from '../support/lane-cache-talk.ts'
import { startDuel } from '../support/lane-duel.ts'

const RUNS = Number(process.env['FORECACHE_LANE_RUNS'] ?? 100)
const SEED = Number(process.env['FORECACHE_LANE_SEED'] ?? Date.now() % 1_000_000)

describe(`native cache API in lane and node:http, conversations from seed ${SEED}`, () => {
  it.each([
    ['with API keys', true],
    ['without', false],
  ])('does the same %s', { timeout: 20_000 + RUNS * 200 }, async (_, keyed) => {
    const api = keyed ? { keys: [API_KEY, 'another-key-0000002'] } : {}
    const matter = {
      door: cacheDoor(keyed),
      conversation: (dice: Parameters<typeof anyCacheTalk>[0]) => anyCacheTalk(dice, keyed),
    }
    const { judgeSeeds, remains, close } = await startDuel({ api }, { matter })
    onTestFinished(close)

    expect(await judgeSeeds(SEED, RUNS)).toEqual([])
    expect(await remains()).toEqual([])
  })
})
