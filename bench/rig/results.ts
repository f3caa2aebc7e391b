/**
 * Where results go: printed, and kept as text and JSON under a name that tells when.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'

const DEFAULT_FOLDER = join(import.meta.dirname, '..', 'results')

/** @param folder default: bench/results, which git ignores @returns the path of the text */
export function keepResult(name: string, result: { text: string; data: unknown }, folder = DEFAULT_FOLDER): string {
  mkdirSync(folder, { recursive: true })
  const base = join(folder, `${name}-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}`)
  writeFileSync(`${base}.txt`, result.text)
  writeFileSync(`${base}.json`, `${JSON.stringify(result.data, null, 2)}\n`)
  return `${base}.txt`
}

/** How busy the machine was before: figures taken beside other work say little. */
export function describeLoad(): string {
  const [minute = 0] = loadavg()
  return `load       ${minute.toFixed(2)} in the last minute before${minute > 0.5 ? ': THE MACHINE WAS BUSY, ratios and percentiles suffer' : ''}`
}
