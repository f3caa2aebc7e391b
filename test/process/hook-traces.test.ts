import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runProgram } from '../support/hook-here.ts'
import { type RedisHere, startRedis } from '../support/redis-here.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const PRELOAD = pathToFileURL(join(ROOT, 'test/support/hook/traced-preload.ts')).href
const REGISTER = pathToFileURL(join(ROOT, 'src/entry/register.ts')).href

let server: RedisHere
let projects = ''

beforeAll(async () => {
  server = await startRedis()
  projects = mkdtempSync(join(realpathSync(tmpdir()), 'forecache-traced-'))
})
afterAll(async () => {
  await server.stop()
  rmSync(projects, { recursive: true, force: true })
})

/** A project where a package stands under its own name: instrumentation knows it by that. */
function projectWith(alias: string, name: string): string {
  const project = join(projects, alias)
  const home = join(project, 'node_modules')
  mkdirSync(home, { recursive: true })
  cpSync(join(ROOT, 'node_modules', alias), join(home, name), { recursive: true })
  const { dependencies = {} } = JSON.parse(readFileSync(join(home, name, 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>
  }
  for (const one of Object.keys(dependencies)) {
    const nested = join(home, name, 'node_modules', one)
    if (existsSync(nested)) continue
    mkdirSync(dirname(nested), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules', one), nested)
  }
  return project
}

describe("hook: beside OpenTelemetry's instrumentation", () => {
  it.each([
    ['ioredis5', 'ioredis'],
    ['ioredis6', 'ioredis'],
    ['redis5', 'redis'],
    ['redis6', 'redis'],
  ])('%s has spans for what reaches the server, whichever is loaded first', async (alias, name) => {
    const env = { CLIENT: name, PROJECT: projectWith(alias, name), URL: server.url }
    const run = (isHooked: boolean, ...imports: string[]): ReturnType<typeof runProgram> =>
      runProgram({ program: 'traced.ts', isHooked, env, nodeArgs: imports.flatMap((one) => ['--import', one]) })
    const plain = await run(false, PRELOAD)
    const hookFirst = await run(true, PRELOAD)
    const hookLast = await run(false, PRELOAD, REGISTER)

    expect(plain.code, plain.stderr).toBe(0)
    if (alias !== 'ioredis6') expect(plain.lines.join()).toMatch(/get.*set|set.*get/)
    for (const hooked of [hookFirst, hookLast]) {
      expect(hooked.lines, hooked.stderr).toEqual(plain.lines)
      expect(hooked.stats?.hits).toBeGreaterThan(0)
      // Instrumentation that wraps our method sees the call, though nothing is sent.
      expect(hooked.stderr).toMatch(/SPANS FROM MEMORY [01]\n/)
    }
  })
})
