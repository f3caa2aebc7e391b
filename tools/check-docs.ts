/**
 * Checks the pages: every relative link leads to a file, every named path of the checkout exists, no placeholder is left,
 * and every page that is printed from the code is up to date (print-reference.ts does that part).
 *
 * Usage: node tools/check-docs.ts
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { conclude, listFiles, ROOT } from './source.ts'

const LINK = /\[[^\]]*\]\(([^)\s]+)\)/g
/** A path in code: `src/model/metric.ts`, `docs/guide/`, but not one with a variable part. */
const NAMED = /`((?:src|test|tools|docs|bench|examples)\/(?!decisions\/NNN)[\w./-]+)`/g
const PLACEHOLDER = /«[^»]*»|\bTODO\b|\bFIXME\b|\bTBD\b/

const pages = listFiles('.').filter((path) => path.endsWith('.md'))
const problems = pages.flatMap(judge)
conclude('docs', problems, `${pages.length} pages`)

function judge(page: string): string[] {
  const found: string[] = []
  const text = readFileSync(join(ROOT, page), 'utf8')
  for (const [index, line] of text.split('\n').entries()) {
    const at = `${page}:${index + 1}`
    for (const [, target] of line.matchAll(LINK)) {
      const path = (target as string).split('#')[0] as string
      if (path === '' || /^[a-z]+:/i.test(path)) continue
      if (!existsSync(join(ROOT, dirname(page), path))) found.push(`${at}: links to ${path}, which does not exist`)
    }
    for (const [, path] of line.matchAll(NAMED))
      if (!existsSync(join(ROOT, path as string))) found.push(`${at}: names ${path}, which does not exist`)
    if (PLACEHOLDER.test(line)) found.push(`${at}: a placeholder is left`)
  }
  return found
}
