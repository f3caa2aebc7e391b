/**
 * Runs every check and every test in good order and ends with one line: `N passed, N failed, N skipped`.
 *
 * Usage: node tools/test.ts [step or group …]     (no name: everything; see STEPS)
 * A check counts as one test. Steps go on after a failure, except those that need the build. Every step has a deadline.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { installServers } from './install-servers.ts'
import { ROOT } from './source.ts'

interface Step {
  readonly name: string
  readonly group: 'static' | 'tests' | 'package'
  readonly command: readonly string[]
  /** A vitest project: its tests are counted one by one. */
  readonly project?: string
  readonly needsBuild?: boolean
  readonly deadlineMs?: number
}

/** What is read of vitest's JSON report. */
interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[]
}

interface Result {
  readonly step: Step
  readonly seconds: number
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  readonly note: string
}

const MINUTE_MS = 60_000
const NODE = process.execPath

const STEPS: readonly Step[] = [
  { name: 'types', group: 'static', command: ['tsc', '--noEmit', '-p', '.'] },
  { name: 'lint', group: 'static', command: ['oxlint', '--deny-warnings'] },
  { name: 'format', group: 'static', command: ['biome', 'format', '--max-diagnostics=20', '.'] },
  { name: 'floors', group: 'static', command: [NODE, 'tools/check-floors.ts'] },
  { name: 'sizes', group: 'static', command: [NODE, 'tools/check-sizes.ts'] },
  { name: 'words', group: 'static', command: [NODE, 'tools/check-words.ts'] },
  { name: 'build', group: 'package', command: [NODE, 'tools/build.ts'] },
  suite('fast', 8),
  suite('model', 10),
  { ...suite('process', 16), needsBuild: true },
  { ...suite('package', 3), needsBuild: true, group: 'package' },
  { name: 'consumer', group: 'package', command: ['tsc', '--noEmit', '-p', 'test/types'], needsBuild: true },
  // Apart, because the frameworks' own declarations do not all compile.
  { name: 'frameworks', group: 'package', command: ['tsc', '--noEmit', '-p', 'test/types/frameworks'], needsBuild: true },
  { name: 'docs', group: 'package', command: [NODE, 'tools/check-docs.ts'] },
  { name: 'reference', group: 'package', command: [NODE, 'tools/print-reference.ts', '--check'] },
  { name: 'publint', group: 'package', command: ['publint', 'run', '--strict'], needsBuild: true },
  {
    name: 'attw',
    group: 'package',
    command: ['attw', '--pack', '.', '--profile', 'esm-only', '--format', 'ascii'],
    needsBuild: true,
  },
  { name: 'knip', group: 'package', command: ['knip', '--no-progress'], needsBuild: true },
  { ...suite('conformance', 8), needsBuild: true },
]

const scratch = mkdtempSync(join(tmpdir(), 'forecache-test-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))
process.exitCode = await runAll(selectSteps(process.argv.slice(2)))

function suite(project: string, minutes: number): Step {
  return {
    name: project,
    group: 'tests',
    project,
    command: ['vitest', 'run', '--project', project],
    deadlineMs: minutes * MINUTE_MS,
  }
}

function selectSteps(wanted: readonly string[]): readonly Step[] {
  for (const name of wanted) {
    if (STEPS.some((step) => step.name === name || step.group === name)) continue
    console.error(`no such step: ${name}; known: ${STEPS.map((step) => step.name).join(', ')}, static, tests, package`)
    process.exit(2)
  }
  if (wanted.length === 0) return STEPS
  return STEPS.filter((step) => wanted.includes(step.name) || wanted.includes(step.group))
}

async function runAll(steps: readonly Step[]): Promise<number> {
  const results: Result[] = []
  if (steps.some((step) => step.project !== undefined)) {
    for (const missing of installServers()) console.error(`missing, tests that need it will fail: ${missing}`)
  }
  let built = existsSync(join(ROOT, 'dist'))
  for (const step of steps) {
    const result = step.needsBuild && !built ? failure(step, 0, 'left out: there is no build') : await runStep(step)
    if (step.name === 'build') built = result.failed === 0
    results.push(result)
  }
  return printSummary(results)
}

async function runStep(step: Step): Promise<Result> {
  console.log(`\n── ${step.name} ${'─'.repeat(Math.max(0, 100 - step.name.length))}`)
  const report = join(scratch, `${step.name}.json`)
  const flags = step.project === undefined ? [] : ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const startedAt = performance.now()
  const code = await execute([...step.command, ...flags], step.deadlineMs ?? 3 * MINUTE_MS)
  const seconds = (performance.now() - startedAt) / 1000
  if (step.project !== undefined) return countTests(step, seconds, { code, report })
  return code === 0 ? { step, seconds, passed: 1, failed: 0, skipped: 0, note: '' } : failure(step, seconds, code)
}

function countTests(step: Step, seconds: number, { code, report }: { code: number | string; report: string }): Result {
  if (!existsSync(report)) return failure(step, seconds, code)
  const json = JSON.parse(readFileSync(report, 'utf8')) as Report
  const passed = json.numPassedTests
  const skipped = json.numPendingTests + json.numTodoTests
  const unloaded = json.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0)
  let failed = json.numFailedTests + unloaded.length
  let note = unloaded.length > 0 ? `${unloaded.length} file(s) did not load` : ''
  if (code !== 0 && failed === 0) [failed, note] = [1, `no test failed, but the runner did (${code}): an unhandled error`]
  if (passed + failed + skipped === 0) [failed, note] = [1, 'no tests found']
  return { step, seconds, passed, failed, skipped, note }
}

function failure(step: Step, seconds: number, code: number | string): Result {
  return { step, seconds, passed: 0, failed: 1, skipped: 0, note: typeof code === 'number' ? `exit code ${code}` : code }
}

/** @returns the exit code, or why there is none */
function execute(command: readonly string[], deadlineMs: number): Promise<number | string> {
  const [file, ...args] = command as [string, ...string[]]
  // Own process group: a step that hangs is ended with everything it started.
  const env = { ...process.env, PATH: `${join(ROOT, 'node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}` }
  const child = spawn(file, args, { cwd: ROOT, env, stdio: ['ignore', 'inherit', 'inherit'], detached: true })
  return new Promise((resolve) => {
    let late = false
    const timer = setTimeout(() => {
      late = true
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    }, deadlineMs)
    child.once('error', (error) => {
      clearTimeout(timer)
      resolve(error.message)
    })
    child.once('exit', (code, signal) => {
      clearTimeout(timer)
      resolve(late ? `ended after its deadline of ${deadlineMs / MINUTE_MS} minutes` : (code ?? `ended by ${signal}`))
    })
  })
}

function printSummary(results: readonly Result[]): number {
  const sum = (pick: (result: Result) => number): number => results.reduce((total, result) => total + pick(result), 0)
  const [passed, failed, skipped] = [sum((r) => r.passed), sum((r) => r.failed), sum((r) => r.skipped)]
  console.log(`\n── summary ${'─'.repeat(93)}`)
  for (const { step, seconds, ...counts } of results) {
    const verdict = counts.failed === 0 ? 'ok  ' : 'FAIL'
    const tests = step.project === undefined ? '' : `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`
    console.log(
      `${verdict}  ${step.name.padEnd(12)} ${seconds.toFixed(1).padStart(6)} s  ${[tests, counts.note].filter((t) => t !== '').join('  ')}`.trimEnd(),
    )
  }
  console.log(`took ${sum((r) => r.seconds).toFixed(1)} s on Node ${process.versions.node}\n`)
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
  return failed === 0 ? 0 : 1
}
