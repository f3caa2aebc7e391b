/**
 * Runs the conformance suite's own client once and prints its results: a process of its own, because the suite's modules
 * keep their results in themselves.
 *
 * Usage: node drive.ts SUITE_DIR BASE_URL [ids, comma-separated]
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { layoutOf, type SuiteTest } from './suite.ts'

interface Runner {
  runTests(...args: unknown[]): Promise<void>
  getResults(): Record<string, unknown>
}

const [dir = '', base = '', ids] = process.argv.slice(2)
const layout = layoutOf(dir)
const { runTests, getResults } = (await import(pathToFileURL(join(layout.engine, 'client/runner.mjs')).href)) as Runner
const all = (await import(pathToFileURL(join(dir, 'tests/index.mjs')).href)) as { default: { tests: SuiteTest[] }[] }
const wanted = ids === undefined ? undefined : new Set(ids.split(','))
const suites = all.default.map((suite) => ({ ...suite, tests: suite.tests.filter((test) => wanted?.has(test.id) ?? true) }))

/** Tests at once: more make their one-second lifetimes unreliable. */
const AT_ONCE = 20

const print = console.log
console.log = () => {} // the suite's client talks while it works
console.error = () => {}
if (layout.ownFetch) {
  const fetch: unknown = createRequire(join(dir, 'cli.mjs'))('node-fetch')
  await runTests(suites, fetch, false, base, AT_ONCE)
} else {
  await runTests(suites, false, base, AT_ONCE)
}
print(JSON.stringify(getResults()))
process.exit(0)
