import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const SCRIPT = fileURLToPath(new URL('../support/calibration.ts', import.meta.url))

interface Line {
  readonly name: string
  readonly charged: number
  readonly real: number
  readonly ratio: number
}

describe('memory: what an entry is charged', () => {
  it('is what V8 holds for it within a tenth, for small and large bodies, long keys, variants and tags', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', SCRIPT])

    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line)
    expect(lines.map(({ name }) => name)).toEqual(['200 B', '1 KB', '10 KB', '100 KB', 'long keys', 'ten variants', 'tags'])
    const wrong = lines.filter(({ ratio }) => ratio < 0.9 || ratio > 1.1)
    expect(wrong).toEqual([])
  }, 90_000)
})
