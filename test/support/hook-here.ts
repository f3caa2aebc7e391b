/**
 * Runs programs of test/support/hook in processes of their own, with the hook and without.
 */
import { spawn } from 'node:child_process'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { HookStats } from '../../src/entry/redis.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const REGISTER = pathToFileURL(join(ROOT, 'src/entry/register.ts')).href

/** What a program said. */
export interface Ran {
  readonly lines: readonly string[]
  readonly stderr: string
  readonly code: number | null
  /** What the hook has done; undefined without it. */
  readonly stats: HookStats | undefined
}

/** How to run it. */
export interface Run {
  /** File of test/support/hook. */
  readonly program: string
  readonly isHooked: boolean
  readonly env: Readonly<Record<string, string>>
  readonly nodeArgs?: readonly string[]
}

const DEADLINE_MS = 50_000

/** @returns when it has ended; rejects when it does not end by itself */
export function runProgram({ program, isHooked, env, nodeArgs = [] }: Run): Promise<Ran> {
  const options = isHooked ? { NODE_OPTIONS: `--import ${REGISTER}` } : {}
  const { NODE_OPTIONS: _, ...inherited } = process.env
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [...nodeArgs, join(import.meta.dirname, 'hook', program)], {
      env: { ...inherited, ...options, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd: ROOT,
    })
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const late = setTimeout(() => {
      child.kill('SIGKILL')
      fail(new Error(`${program} did not end within ${DEADLINE_MS} ms\n${stderr.slice(-2000)}`))
    }, DEADLINE_MS)
    child.once('close', (code) => {
      clearTimeout(late)
      if (stderr.includes('an error of its own')) {
        fail(new Error(`the hook failed in ${program}: ${stderr.slice(0, 2000)}`))
        return
      }
      const told = /^STATS (.*)$/m.exec(stderr)?.[1]
      const stats = told === undefined ? undefined : (JSON.parse(told) as HookStats | null)
      done({ lines: stdout.split('\n').slice(0, -1), stderr, code, stats: stats ?? undefined })
    })
  })
}
