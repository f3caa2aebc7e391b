/**
 * Runs stops.ts on the servers' core, and says what it found.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { columns } from '../compare.ts'
import { SERVER_CORE, startPinned } from '../rig/pinned.ts'

interface Found {
  readonly grown: readonly { readonly keys: number; readonly longestMs: number; readonly meanMicros: number }[]
  readonly saved: Readonly<Record<'keys' | 'tookMs' | 'cpuMicrosPerKey' | 'longestMs' | 'bytes', number>>
}

const DEADLINE_MS = 600_000

/** @param keys the table grows to @param saved keys of the snapshot */
export async function measureStops(keys: number, saved: number): Promise<{ readonly text: string; readonly data: object }> {
  const folder = mkdtempSync(join(tmpdir(), 'forecache-bench-'))
  const child = startPinned({
    ...{ name: 'stops', core: SERVER_CORE, deadlineMs: DEADLINE_MS },
    command: [process.execPath, join(import.meta.dirname, 'stops.ts'), String(keys), String(saved), folder],
  })
  try {
    const found = JSON.parse(await child.line((line) => line.startsWith('{'))) as Found
    return { text: describe(found), data: found }
  } finally {
    await child.stop()
    rmSync(folder, { recursive: true })
  }
}

function describe({ grown, saved }: Found): string {
  const rows = grown.map(({ keys, longestMs, meanMicros }) => [keys, longestMs.toFixed(2), meanMicros.toFixed(2)])
  const table = columns([['embedded, keys', 'longest stop of 64 SETs, ms (goal 1)', 'µs a key'], ...rows])
  const { keys, tookMs, cpuMicrosPerKey, longestMs, bytes } = saved
  const snapshot = `${keys} keys, ${(bytes / 1e6).toFixed(1)} MB in ${tookMs.toFixed(0)} ms, ${cpuMicrosPerKey.toFixed(2)} µs of CPU a key`
  return `${table}\nsnapshot of ${snapshot}, longest turn of the event loop ${longestMs.toFixed(2)} ms`
}
