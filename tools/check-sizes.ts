/**
 * Checks sizes: no file over 400 lines; prints median, 90 % and largest per folder. Functions (60 lines, 3 parameters)
 * and imports (10 a file) are checked by the linter with the limits of .oxlintrc.json.
 *
 * Usage: node tools/check-sizes.ts
 */
import { conclude, readSources, type Source } from './source.ts'

const MAX_LINES = 400
const FOLDERS = ['src', 'test', 'tools', 'bench', 'examples']

const problems: string[] = []
let files = 0
for (const folder of FOLDERS) {
  const sources = readSources(folder)
  files += sources.length
  for (const { path, lines } of sources) {
    if (lines > MAX_LINES) problems.push(`${path}: ${lines} lines; split it, ${MAX_LINES} is the limit`)
  }
  if (sources.length > 0) console.log(describe(folder, sources))
}
conclude('sizes', problems, `${files} files, none may exceed ${MAX_LINES} lines`)

function describe(folder: string, sources: readonly Source[]): string {
  const sizes = sources.map((source) => source.lines).sort((a, b) => a - b)
  const at = (share: number): number => sizes[Math.min(sizes.length - 1, Math.floor(share * sizes.length))] as number
  const total = sizes.reduce((sum, size) => sum + size, 0)
  return `${folder.padEnd(9)} ${String(sizes.length).padStart(4)} files ${String(total).padStart(6)} lines  median ${at(0.5)}  p90 ${at(0.9)}  largest ${at(1)}`
}
