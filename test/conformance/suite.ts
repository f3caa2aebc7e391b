/**
 * The conformance suite http-cache-tests: where it is, its tests, its origin, its verdicts.
 *
 * The npm release is a devDependency; FORECACHE_CACHE_TESTS names a checkout of the repository http-tests/cache-tests
 * (with its dependencies installed) to be used instead. Nothing of the suite is copied into this repository.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** One test of the suite, as far as it matters here. */
export interface SuiteTest {
  readonly id: string
  readonly kind?: 'required' | 'optimal' | 'check'
  readonly browser_only?: boolean
}

/** How a copy of the suite is laid out. */
export interface Layout {
  /** Folder with `client`, `server`, `lib`. */
  readonly engine: string
  /** The client wants a fetch function handed in (0.4.5); later ones use the global one. */
  readonly ownFetch: boolean
}

/** A verdict's name, as the suite has it: pass, fail, optional_fail, setup_fail, dependency_fail, retry, yes, no. */
export type Verdict = string

/** A run's verdicts by test id. */
export interface Verdicts {
  readonly [id: string]: { readonly kind: 'required' | 'optimal' | 'check'; readonly verdict: Verdict; readonly detail: string }
}

/** The suite's symbols, in words. */
const SYMBOLS: Readonly<Record<string, Verdict>> = {
  '✅': 'pass',
  '⛔️': 'fail',
  '⚠️': 'optional_fail',
  Y: 'yes',
  N: 'no',
  '🔹': 'setup_fail',
  '⁉️': 'harness_fail',
  '⚪️': 'dependency_fail',
  '↻': 'retry',
  '-': 'untested',
}

const DRIVE = fileURLToPath(new URL('drive.ts', import.meta.url))
const RUN_MS = 240_000

/** The suite's folder: FORECACHE_CACHE_TESTS, or the npm release. */
export function suiteDir(): { readonly dir: string; readonly isRelease: boolean } {
  const given = process.env['FORECACHE_CACHE_TESTS']
  if (given !== undefined && given !== '') return { dir: resolve(given), isRelease: false }
  return { dir: dirname(createRequire(import.meta.url).resolve('http-cache-tests/package.json')), isRelease: true }
}

export function layoutOf(dir: string): Layout {
  const engine = join(dir, 'test-engine')
  return existsSync(engine) ? { engine, ownFetch: false } : { engine: dir, ownFetch: true }
}

/** The suite's origin server on a free port. */
export async function startSuiteOrigin(dir: string): Promise<{ readonly url: string; stop(): void }> {
  const { engine } = layoutOf(dir)
  const pidfile = join(tmpdir(), `http-cache-tests-${process.pid}-${Date.now()}.pid`)
  const env = { ...process.env, npm_config_protocol: 'http', npm_config_port: '0', npm_config_pidfile: pidfile }
  const child: ChildProcess = spawn(process.execPath, [join(engine, 'server/server.mjs')], {
    cwd: dir,
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const port = await new Promise<string>((done, fail) => {
    let said = ''
    child.once('exit', (code) => fail(new Error(`the suite's origin ended with ${code}`)))
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      said += text
      const match = /Listening on http:\/\/\S+:(\d+)\//.exec(said)
      if (match !== null) done(match[1] as string)
    })
  })
  child.stdout?.resume()
  return { url: `http://127.0.0.1:${port}`, stop: () => void child.kill('SIGKILL') }
}

/** Runs tests of the suite through its own client. @param ids default: all of them */
export function runSuite(dir: string, base: string, ids?: readonly string[]): Promise<Record<string, unknown>> {
  const args = ['--no-warnings', DRIVE, dir, base, ...(ids === undefined ? [] : [ids.join(',')])]
  return new Promise((done, fail) => {
    execFile(process.execPath, args, { timeout: RUN_MS, maxBuffer: 64 * 1024 * 1024 }, (error, stdout) => {
      if (error !== null) fail(error)
      else done(JSON.parse(stdout) as Record<string, unknown>)
    })
  })
}

/** The suite's own judgement of results, dependencies between tests regarded. */
export async function judgeResults(dir: string, results: Record<string, unknown>): Promise<Verdicts> {
  const { engine } = layoutOf(dir)
  const tests = (await import(pathToFileURL(join(dir, 'tests/index.mjs')).href)) as { default: { tests: SuiteTest[] }[] }
  const file = existsSync(join(engine, 'lib/results.mjs')) ? 'lib/results.mjs' : 'lib/display.mjs'
  const lib = (await import(pathToFileURL(join(engine, file)).href)) as {
    determineTestResult(suites: unknown, id: string, results: unknown): readonly string[]
  }
  const verdicts: Record<string, Verdicts[string]> = {}
  for (const test of tests.default.flatMap((suite) => suite.tests)) {
    if (!Object.hasOwn(results, test.id)) continue
    const symbol = lib.determineTestResult(tests.default, test.id, results)[2] ?? ''
    const verdict = SYMBOLS[symbol] ?? symbol
    const result = results[test.id]
    verdicts[test.id] = { kind: test.kind ?? 'required', verdict, detail: Array.isArray(result) ? result.join(': ') : '' }
  }
  return verdicts
}
