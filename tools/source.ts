/**
 * The repository's own files, as the checks read them: lists, lines, imports. Private to tools/.
 *
 * Imports are found by pattern at the start of a line: the compiler in use has no API to ask, and the formatter keeps
 * statements there.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'

/** Root of the checkout. */
export const ROOT = resolve(import.meta.dirname, '..')

const SKIPPED = new Set(['node_modules', '.git', 'dist', 'coverage', '.forecache'])
const STATEMENT = /^(?:import|export)\s[^'"`;=()]*?\bfrom\s+['"]([^'"]+)['"]/gm
const BARE = /^import\s+['"]([^'"]+)['"]/gm
const DYNAMIC = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g

/** A source file with what the checks look at. */
export interface Source {
  /** Path from the root, with `/`. */
  readonly path: string
  readonly text: string
  readonly lines: number
  /** Specifiers of all imports and re-exports, in order, type imports included. */
  readonly imports: readonly string[]
}

/** @param folder path from the root @returns paths from the root, sorted; nothing when the folder does not exist */
export function listFiles(folder: string): string[] {
  const found: string[] = []
  const visit = (at: string): void => {
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      if (SKIPPED.has(entry.name)) continue
      const path = join(at, entry.name)
      if (entry.isDirectory()) visit(path)
      else if (entry.isFile()) found.push(relative(ROOT, path).split(sep).join('/'))
    }
  }
  try {
    visit(join(ROOT, folder))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  return found.sort()
}

/** Every TypeScript file below a folder. */
export function readSources(folder: string): Source[] {
  return listFiles(folder)
    .filter((path) => path.endsWith('.ts'))
    .map(readSource)
}

/** The file a relative specifier names, from the root; undefined for packages and node's own modules. */
export function resolveImport(source: Source, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  return relative(ROOT, resolve(ROOT, dirname(source.path), specifier))
    .split(sep)
    .join('/')
}

/** Prints what a check found and sets the exit code. */
export function conclude(check: string, problems: readonly string[], summary: string): void {
  for (const problem of problems) console.error(`${check}: ${problem}`)
  console.log(problems.length === 0 ? `${check}: ${summary}` : `${check}: ${problems.length} problem(s); ${summary}`)
  if (problems.length > 0) process.exitCode = 1
}

function readSource(path: string): Source {
  const text = readFileSync(join(ROOT, path), 'utf8')
  const imports = [STATEMENT, BARE, DYNAMIC].flatMap((pattern) => [...text.matchAll(pattern)].map((match) => match[1] as string))
  return { path, text, lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0), imports }
}
