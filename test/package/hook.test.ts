import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { type RedisHere, startRedis } from '../support/redis-here.ts'

const ROOT = resolve(import.meta.dirname, '../..')
let project = ''
let server: RedisHere

beforeAll(async () => {
  server = await startRedis()
  project = mkdtempSync(join(realpathSync(tmpdir()), 'forecache-hooked-'))
  const packed = run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', project], { cwd: ROOT })
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }]
  const home = join(project, 'node_modules/forecache')
  mkdirSync(home, { recursive: true })
  run('tar', ['-xzf', join(project, filename), '-C', home, '--strip-components=1'])
  link({
    ...Object.fromEntries(Object.keys(manifest.dependencies).map((name) => [name, name])),
    ioredis: 'ioredis6',
    redis: 'redis6',
  })
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true }))
})
afterAll(async () => {
  await server.stop()
  rmSync(project, { recursive: true, force: true })
})

function link(names: Readonly<Record<string, string>>): void {
  for (const [name, from] of Object.entries(names)) {
    mkdirSync(join(project, 'node_modules', name, '..'), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules', from), join(project, 'node_modules', name))
  }
}

function run(file: string, args: readonly string[], { cwd = project, env = {} }: { cwd?: string; env?: object } = {}): string {
  const { NODE_OPTIONS: _, ...inherited } = process.env
  return execFileSync(file, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 50_000,
    env: { ...inherited, ...env },
  })
}

/** Reads the same key until memory answers, by a client that knows nothing of it. */
const APP = `
  const Redis = require('ioredis')
  const { createClient } = require('redis')
  const main = async () => {
    const one = new Redis(process.env.URL)
    const two = await createClient({ url: process.env.URL }).connect()
    await one.set('k', 'v')
    const { stats } = await import('forecache/redis')
    for (let i = 0; i < 200 && (stats()?.hits ?? 0) < 10; i += 1) {
      if ((await one.get('k')) !== 'v' || (await two.get('k')) !== 'v') throw new Error('wrong')
      await new Promise((done) => setTimeout(done, 5))
    }
    console.log(JSON.stringify({ hits: (stats()?.hits ?? 0) >= 10, upstreams: stats()?.upstreams.length }))
    await one.quit()
    await two.close()
  }
  main()`

describe('the packed hook', () => {
  it('wraps the clients of a project that only sets NODE_OPTIONS', () => {
    writeFileSync(join(project, 'app.cjs'), APP)
    const env = { URL: server.url, NODE_OPTIONS: '--import forecache/register' }
    expect(JSON.parse(run(process.execPath, ['app.cjs'], { env }))).toEqual({ hits: true, upstreams: 1 })
    expect(JSON.parse(run(process.execPath, ['app.cjs'], { env: { URL: server.url } }))).toEqual({ hits: false })
  })

  it('wraps one client by hand', () => {
    writeFileSync(
      join(project, 'by-hand.mjs'),
      `import { createRequire } from 'node:module'
       import { stats, wrap } from 'forecache/redis'
       const require = createRequire(import.meta.url)
       const redis = wrap(new (require('ioredis'))(process.env.URL))
       const client = wrap(require('redis').createClient({ url: process.env.URL }))
       await client.connect()
       await redis.set('k', 'v')
       for (let i = 0; i < 200 && stats().hits < 10; i += 1) {
         await redis.get('k')
         await client.get('k')
         await new Promise((done) => setTimeout(done, 5))
       }
       let refused = ''
       try { wrap({}) } catch (error) { refused = error.code }
       console.log(JSON.stringify({ hits: stats().hits >= 10, refused }))
       await redis.quit()
       await client.close()`,
    )
    expect(JSON.parse(run(process.execPath, ['by-hand.mjs'], { env: { URL: server.url } }))).toEqual({
      hits: true,
      refused: 'FC_REGISTER_CLIENT',
    })
  })

  it('serves its counters where it is asked to', () => {
    writeFileSync(
      join(project, 'counted.mjs'),
      `import { createRequire } from 'node:module'
       const redis = new (createRequire(import.meta.url)('ioredis'))(process.env.URL)
       await redis.get('k')
       const base = 'http://' + process.env.FORECACHE_API
       const answer = async (path) => (await fetch(base + path)).text()
       console.log(JSON.stringify([JSON.parse(await answer('/v1/stats')).upstreams.length, (await answer('/metrics')).includes('forecache_hook_hits_total')]))
       await redis.quit()`,
    )
    const port = 20_000 + (process.pid % 20_000)
    const env = { URL: server.url, NODE_OPTIONS: '--import forecache/register', FORECACHE_API: `127.0.0.1:${port}` }
    expect(JSON.parse(run(process.execPath, ['counted.mjs'], { env }))).toEqual([1, true])
  })
})
