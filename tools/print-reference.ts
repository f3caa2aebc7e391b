/**
 * Prints docs/reference from the catalogues and schemas in src, so that the pages cannot say anything else.
 *
 * Usage: node tools/print-reference.ts            writes the pages
 *        node tools/print-reference.ts --check    fails when a page differs from what would be written
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CACHE_OPTIONS } from '../src/flow/options.ts'
import { MIDDLEWARE_OPTIONS } from '../src/http/middleware.ts'
import { CONFIG } from '../src/server/config-schema.ts'
import { printErrors } from './reference/errors.ts'
import { printJsonSchema } from './reference/json-schema.ts'
import { printMetrics } from './reference/metrics.ts'
import { printReasons } from './reference/reasons.ts'
import { printSchema } from './reference/schema.ts'
import { printTesting } from './reference/testing.ts'
import { conclude, ROOT } from './source.ts'

/** Each page by its path. */
const PAGES: Readonly<Record<string, () => string>> = {
  'docs/reference/metrics.md': printMetrics,
  'docs/reference/errors.md': printErrors,
  'docs/reference/reasons.md': printReasons,
  'docs/reference/options.md': () =>
    printSchema(CACHE_OPTIONS, {
      title: 'Options of `createCache`',
      intro:
        'Checked once, at creation; unknown names are refused. A budget is a duration or `{fresh, stale, onError}` (docs/guide/budgets.md).',
    }),
  'docs/reference/middleware.md': () =>
    printSchema(MIDDLEWARE_OPTIONS, {
      title: 'Options of the middleware',
      intro:
        'The same for Express, Fastify, Hono, Koa, `node:http` and fetch handlers; one policy given flat, or several in `routes`. Unknown names are refused.',
    }),
  'docs/reference/testing.md': printTesting,
  'docs/reference/config.md': () =>
    printSchema(CONFIG, {
      title: 'Configuration of the gateway',
      intro:
        'Written in YAML. Flags beat the environment (`FORECACHE_SECTION_OPTION`), the environment beats the file. Unknown names are refused with line and column.',
    }),
  'docs/reference/forecache.schema.json': () => printJsonSchema(CONFIG, 'forecache.yaml'),
}

const check = process.argv.includes('--check')
const problems: string[] = []
for (const [path, print] of Object.entries(PAGES)) {
  const file = join(ROOT, path)
  const page = `${print().trim()}\n`
  if (!check) {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, page)
  } else if (read(file) !== page) problems.push(`${path} differs from the code; run: npm run reference`)
}
conclude('reference', problems, `${Object.keys(PAGES).length} pages ${check ? 'compared' : 'written'}`)

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
