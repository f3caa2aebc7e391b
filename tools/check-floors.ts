/**
 * Checks the house: a file imports only from its own room or from lower floors (floors.json), type imports included;
 * no circles; no files named after nothing; a header on every file that says its floor and room.
 *
 * Usage: node tools/check-floors.ts
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { conclude, readSources, resolveImport, ROOT, type Source } from './source.ts'

const NAMELESS = /\/(?:utils?|helpers?|types?|common|misc|shared)\.ts$/
const floors = JSON.parse(readFileSync(join(ROOT, 'floors.json'), 'utf8')) as Record<string, number>
const sources = readSources('src')
const byPath = new Map(sources.map((source) => [source.path, source]))
const problems = [...sources.flatMap(judge), ...findCircles()]
conclude('floors', problems, `${sources.length} files in ${new Set(sources.map(roomOf)).size} rooms`)

function roomOf(source: Source): string {
  return source.path.split('/')[1] as string
}

function judge(source: Source): string[] {
  const found: string[] = []
  const room = roomOf(source)
  const floor = floors[room]
  if (floor === undefined) return [`${source.path}: lies in no room of floors.json`]
  if (NAMELESS.test(source.path)) found.push(`${source.path}: name the file after what it holds`)
  const header = /^(?:#![^\n]*\n)?\/\*\*[\s\S]*?\*\//.exec(source.text)?.[0]
  if (header === undefined) found.push(`${source.path}: begins without a header comment`)
  else if (!header.replace(/\s*\n \* /g, ' ').includes(`Floor ${floor}, room ${room}`)) {
    found.push(`${source.path}: its header should say "Floor ${floor}, room ${room}"`)
  }
  for (const specifier of source.imports) found.push(...judgeImport(source, specifier))
  return found
}

function judgeImport(source: Source, specifier: string): string[] {
  const path = resolveImport(source, specifier)
  if (path === undefined) return []
  if (!byPath.has(path)) {
    const wanted = path.startsWith('src/') ? 'a file that exists, with its .ts suffix' : 'a file inside src'
    return [`${source.path}: imports ${specifier}; expected ${wanted}`]
  }
  const room = path.split('/')[1] as string
  const here = roomOf(source)
  if (room === here || (floors[room] ?? Infinity) < (floors[here] ?? 0)) return []
  return [
    `${source.path} (${here}, floor ${floors[here]}) imports ${path} (${room}, floor ${floors[room]}); hand it in as an argument`,
  ]
}

/** One problem for each circle met, named by its files. */
function findCircles(): string[] {
  const found = new Set<string>()
  const done = new Set<string>()
  const walk = (path: string, trail: string[]): void => {
    const at = trail.indexOf(path)
    if (at >= 0) {
      found.add(`circle: ${[...trail.slice(at), path].join(' → ')}`)
      return
    }
    const source = byPath.get(path)
    if (source === undefined || done.has(path)) return
    for (const specifier of source.imports) {
      const next = resolveImport(source, specifier)
      if (next !== undefined) walk(next, [...trail, path])
    }
    done.add(path)
  }
  for (const source of sources) walk(source.path, [])
  return [...found]
}
