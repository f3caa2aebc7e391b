import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { runProgram } from '../support/hook-here.ts'
import { CLIENTS } from '../support/hook-clients.ts'
import { type RedisHere, startCluster, startRedis } from '../support/redis-here.ts'

let server: RedisHere
const started: { stop(): Promise<void> }[] = []

beforeAll(async () => {
  server = await startRedis()
})
afterEach(async () => {
  for (const one of started.splice(0)) await one.stop()
})
afterAll(async () => server.stop())

const READS = ['set: "OK"', ...Array.from({ length: 5 }, () => 'get: "v"')]

function brief(env: Readonly<Record<string, string>>): ReturnType<typeof runProgram> {
  return runProgram({ program: 'brief.ts', isHooked: true, env: { URL: server.url, ...env } })
}

function warnings(stderr: string): readonly string[] {
  return stderr.split('\n').filter((line) => line.includes('ForecacheWarning'))
}

describe('hook: the life of a process', () => {
  it.each(CLIENTS.flatMap((client) => ['quit', 'disconnect', 'none'].map((end) => [client, end] as const)))(
    'of %s ends when its client does (%s)',
    async (client, end) => {
      const { code, lines, stats, stderr } = await brief({ CLIENT: client, END: end })
      expect(code, stderr).toBe(0)
      expect(lines).toEqual(READS)
      expect(stats?.hits).toBeGreaterThan(0)
      expect(warnings(stderr)).toEqual([])
    },
  )

  it.each(CLIENTS)('%s is wrapped by require as by import', async (client) => {
    const { lines, stats, stderr } = await brief({ CLIENT: client, FORM: 'require' })
    expect(lines, stderr).toEqual(READS)
    expect(stats?.hits).toBeGreaterThan(0)
  })
})

describe('hook: off by itself, with one warning', () => {
  it.each(CLIENTS)('%s, where the user may not track', async (client) => {
    await server.command('ACL', 'SETUSER', 'limited', 'on', '>secret', '~*', '+@all', '-client|tracking')
    const { code, lines, stats, stderr } = await brief({ CLIENT: client, URL: `redis://limited:secret@127.0.0.1:${server.port}` })
    expect(code, stderr).toBe(0)
    expect(lines).toEqual(READS)
    expect(stats?.hits).toBe(0)
    expect(warnings(stderr)).toHaveLength(1)
    expect(stderr).toContain('NOPERM')
    expect(stderr).not.toContain('secret')
  })

  it.each(['ioredis5', 'redis5'])('%s, where the server speaks no RESP3', async (client) => {
    const old = await startRedis(['--rename-command', 'HELLO', ''])
    started.push(old)
    const { lines, stats, stderr } = await brief({ CLIENT: client, URL: old.url })
    expect(lines, stderr).toEqual(READS)
    expect(stats?.hits).toBe(0)
    expect(warnings(stderr)).toHaveLength(1)
  })

  it.each(['ioredis6', 'redis6'])('%s, at a node of a cluster', async (client) => {
    const cluster = await startCluster()
    started.push(cluster)
    // Slot 7629: of the second master.
    const { lines, stats, stderr } = await brief({ CLIENT: client, URL: cluster.servers[1]?.url as string })
    expect(lines, stderr).toEqual(READS)
    expect(stats?.hits).toBe(0)
    expect(warnings(stderr)).toHaveLength(1)
  })

  it('wraps nothing when it is told to, and says what it does not understand', async () => {
    const off = await brief({ CLIENT: 'ioredis6', FORECACHE_HOOK: 'off' })
    expect(off.stats).toBeUndefined()
    expect(off.lines).toEqual(READS)
    const odd = await brief({ CLIENT: 'ioredis6', FORECACHE_MEMORY: 'plenty', FORECACHE_MAX_STALE: '-1' })
    expect(odd.lines).toEqual(READS)
    expect(odd.stats?.hits).toBeGreaterThan(0)
    expect(warnings(odd.stderr)).toHaveLength(2)
    expect(odd.stderr).toContain('FORECACHE_MEMORY: expected a size from 1MiB')
  })
})

describe('hook: the same server by other ways', () => {
  it.each(CLIENTS)('%s with a user, a password and a database', async (client) => {
    await server.command('ACL', 'SETUSER', 'full', 'on', '>pass word', '~*', '&*', '+@all')
    const { lines, stats, stderr } = await brief({ CLIENT: client, URL: `redis://full:pass%20word@127.0.0.1:${server.port}/2` })
    expect(String(await server.command('INFO', 'keyspace'))).toContain('db2:keys=1')
    expect(lines, stderr).toEqual(READS)
    expect(stats?.hits).toBeGreaterThan(0)
  })

  it.each(CLIENTS)('%s by the path of a socket', async (client) => {
    const path = join(server.directory, `${client}.sock`)
    const at = await startRedis(['--unixsocket', path])
    started.push(at)
    const options = client.startsWith('ioredis') ? { path } : { url: undefined, socket: { path } }
    const { lines, stats, stderr } = await brief({ CLIENT: client, URL: at.url, OPTIONS: JSON.stringify(options) })
    expect(lines, stderr).toEqual(READS)
    expect(stats?.hits).toBeGreaterThan(0)
  })
})
