/** Made logs whose truth is known; `npm run bench -- analyze` judges more of them, and longer ones. */
import { describe, expect, it } from 'vitest'
import { judgeParameters, replayReally } from '../../../bench/analyze/judge.ts'
import { makeLog } from '../../../bench/analyze/made-log.ts'
import { analyze } from '../../../src/advice/analysis.ts'
import { Intake } from '../../../src/advice/intake.ts'
import type { Report } from '../../../src/advice/report.ts'

function analyzeAll(log: ReturnType<typeof makeLog>): Report {
  const intake = new Intake()
  for (const access of log.requests()) intake.take(access)
  return analyze(intake.end(), { source: 'made.log', skippedLines: 0, origin: 'http://127.0.0.1:3000' })
}

describe('an analysis of a made log', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'tells every parameter that can be told, seed %i',
    (seed) => {
      const log = makeLog({ seed, lines: 40_000, isRich: seed % 2 === 0 })
      const { judged, mistakes } = judgeParameters(analyzeAll(log), log)

      expect(mistakes).toEqual([])
      expect(judged).toBeGreaterThan(0)
    },
    60_000,
  )

  it.each([3, 4])(
    'expects the hit ratio that the cache itself reaches, seed %i',
    async (seed) => {
      const log = makeLog({ seed, lines: 8000, isRich: seed % 2 === 0 })
      const report = analyzeAll(log)
      const real = await replayReally(report, log.requests(), report.memory.recommendedBytes)

      expect(Math.abs(real - report.expected.hitRatio)).toBeLessThan(0.02)
    },
    60_000,
  )
})
