/**
 * `npm run bench -- <name> [options]`: runs bench/<name>/main.ts.
 *
 * Each benchmark lives in its own folder and exports `run(args): Promise<number>`, the exit code.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const here = import.meta.dirname
const names = readdirSync(here)
  .filter((name) => existsSync(join(here, name, 'main.ts')))
  .sort()
const [name = '', ...args] = process.argv.slice(2)

if (!names.includes(name)) {
  process.stderr.write(`usage: npm run bench -- <name> [options]; names: ${names.join(', ')}; each takes --help\n`)
  process.exitCode = 2
} else {
  const { run } = (await import(`./${name}/main.ts`)) as { run(given: readonly string[]): Promise<number> }
  const code = await run(args)
  // See bin/forecache.js.
  process.stdout.write('', () => process.exit(code))
}
