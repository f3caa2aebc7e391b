/**
 * The data of the embedded mode over the end of its process, with the real command: SIGTERM, kill -9, a damaged file, SAVE
 * and its like.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { type Running, startCli } from '../support/cli-process.ts'
import { RawResp, textOfFrame } from '../support/resp-frames.ts'

let directory: string
let file: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'forecache-resp-snapshot-'))
  file = join(directory, 'data', 'redis')
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

interface Door {
  readonly client: RawResp
  readonly running: Running
  ask(...args: readonly string[]): Promise<string>
}

/** Starts the command on this test's file. */
async function start(section = ''): Promise<Door> {
  const config = join(directory, 'forecache.yaml')
  writeFileSync(config, `resp:\n  snapshot:\n    file: ${file}\n${section}`)
  const running = startCli(['serve', config, '--resp', '127.0.0.1:0', '--api', '127.0.0.1:0'])
  onTestFinished(() => void running.child.kill('SIGKILL'))
  const ready = JSON.parse(await running.line((line) => line.includes('"ready"'))) as { readonly resp: string }
  const client = await RawResp.open(Number(ready.resp.split(':')[1]))
  onTestFinished(() => client.close())
  return { client, running, ask: async (...args) => textOfFrame(await client.command(...args)) }
}

async function fill({ ask }: Door): Promise<void> {
  await ask('SET', 'text', 'bytes \0 \xff')
  await ask('SET', 'until', 'x', 'PXAT', '4102444800000')
  await ask('SET', 'short', 'x', 'PX', '30')
  await ask('RPUSH', 'list', 'a', 'b', 'c')
  await ask('HSET', 'hash', 'field', 'value', 'other', '1')
  await ask('SADD', 'set', '3', '1', '2')
  await ask('ZADD', 'zset', '1.5', 'a', '-inf', 'b')
  await ask('SELECT', '7')
  await ask('SET', 'elsewhere', '1')
  await ask('SELECT', '0')
}

/** What `fill` has left, as a client sees it. */
async function look({ ask }: Door): Promise<readonly string[]> {
  const lines = [
    await ask('DBSIZE'),
    await ask('GET', 'text'),
    await ask('PEXPIRETIME', 'until'),
    await ask('EXISTS', 'short'),
    await ask('LRANGE', 'list', '0', '-1'),
    await ask('HGETALL', 'hash'),
    await ask('SMEMBERS', 'set'),
    await ask('ZRANGE', 'zset', '0', '-1', 'WITHSCORES'),
    await ask('SELECT', '7'),
    await ask('GET', 'elsewhere'),
  ]
  await ask('SELECT', '0')
  return lines
}

const KEPT = [
  ':"6"',
  '$"bytes \\u0000 \xff"',
  ':"4102444800000"',
  ':"0"',
  '*[$"a", $"b", $"c"]',
  '*[$"field", $"value", $"other", $"1"]',
  '*[$"1", $"2", $"3"]',
  '*[$"b", $"-inf", $"a", $"1.5"]',
  '+"OK"',
  '$"1"',
]

describe('the data of the embedded mode', () => {
  it('is there again after SIGTERM, deadlines as they were', async () => {
    // Arrange
    const before = await start()
    await fill(before)

    // Act
    before.running.child.kill('SIGTERM')
    const { code } = await before.running.ended
    const after = await start()

    // Assert
    expect(code).toBe(0)
    expect(await look(after)).toEqual(KEPT)
    expect(readdirSync(join(directory, 'data'))).toEqual(['redis'])
  })

  it('is that of the last snapshot after kill -9, also in the midst of the next one', async () => {
    // Arrange
    const before = await start()
    await fill(before)
    await new Promise((resolve) => setTimeout(resolve, 40))
    expect(await before.ask('SAVE')).toBe('+"OK"')
    await before.ask('DEL', 'text', 'list')
    for (let i = 0; i < 20; i += 1)
      await before.ask('MSET', ...Array.from({ length: 2000 }, (_, k) => `${k % 2 === 0 ? `key ${i} ` : ''}${k}`))
    expect(await before.ask('BGSAVE')).toBe('+"Background saving started"')

    // Act
    before.running.child.kill('SIGKILL')
    await before.running.ended
    const after = await start()

    // Assert
    expect(await look(after)).toEqual(KEPT)
  })

  it('is written at the interval', async () => {
    // Arrange
    const before = await start('    interval: 50ms\n')
    await fill(before)

    // Act
    while (!existsSync(file)) await before.ask('PING')
    await before.ask('SET', 'last', 'one')
    for (;;) if ((await before.ask('INFO', 'persistence')).includes('rdb_changes_since_last_save:0\\r')) break
    before.running.child.kill('SIGKILL')
    await before.running.ended
    const after = await start()

    // Assert
    expect(await after.ask('GET', 'last')).toBe('$"one"')
  })

  it('begins empty beside a damaged file, which is put aside', async () => {
    // Arrange
    const before = await start()
    await fill(before)
    before.running.child.kill('SIGTERM')
    await before.running.ended
    const bytes = readFileSync(file)
    bytes[bytes.length - 20] = (bytes[bytes.length - 20] as number) ^ 1
    writeFileSync(file, bytes)

    // Act
    const after = await start()
    const size = await after.ask('DBSIZE')
    after.running.child.kill('SIGTERM')
    const { code, err } = await after.running.ended

    // Assert
    expect([size, code]).toEqual([':"0"', 0])
    expect(err).toContain('put aside')
    expect(err).toContain('a checksum differs')
    expect(readdirSync(join(directory, 'data'))).toEqual(['redis.damaged'])
    expect(readFileSync(`${file}.damaged`).equals(bytes)).toBe(true)
  })

  it('is written when a client says so, in the words of Redis', async () => {
    // Arrange
    const door = await start()
    const other = await RawResp.open(Number((await portOf(door)) ?? 0))
    onTestFinished(() => other.close())
    const seconds = Math.floor(Date.now() / 1000)
    for (let i = 0; i < 50; i += 1) await door.ask('MSET', ...Array.from({ length: 4000 }, (_, k) => `${i} ${k}`))

    // Act
    const replies = [
      await door.ask('BGSAVE'),
      await door.ask('BGSAVE'),
      await door.ask('SAVE'),
      await door.ask('BGSAVE', 'NEVER'),
    ]
    const last = Number(/\d+/.exec(await door.ask('LASTSAVE'))?.[0])
    const during = await door.ask('INFO', 'persistence')
    for (;;) if ((await door.ask('INFO', 'persistence')).includes('rdb_bgsave_in_progress:0')) break
    await door.ask('MULTI')
    await door.ask('BGSAVE')
    await door.ask('SAVE')
    const transaction = await door.ask('EXEC')
    const bytes = readFileSync(file).length

    // Assert
    expect(replies).toEqual([
      '+"Background saving started"',
      '-"ERR Background save already in progress"',
      '-"ERR Background save already in progress"',
      '-"ERR syntax error"',
    ])
    expect(last).toBeGreaterThanOrEqual(seconds - 60)
    expect(during).toContain('rdb_bgsave_in_progress:1')
    expect(transaction).toBe('-"EXECABORT Transaction discarded because of previous errors."')
    expect(bytes).toBeGreaterThan(1_000_000)
  })

  it('is not kept where no file is named, and says so', async () => {
    // Arrange
    const running = startCli(['serve', '--resp', '127.0.0.1:0', '--api', '127.0.0.1:0'])
    onTestFinished(() => void running.child.kill('SIGKILL'))
    const ready = JSON.parse(await running.line((line) => line.includes('"ready"'))) as { readonly resp: string }
    const client = await RawResp.open(Number(ready.resp.split(':')[1]))
    onTestFinished(() => client.close())

    // Act
    const reply = textOfFrame(await client.command('SAVE'))

    // Assert
    expect(reply).toBe('-"ERR snapshots are off: no file is configured for them"')
  })
})

/** The door's port, as its own client knows it. */
async function portOf({ ask }: Door): Promise<string | undefined> {
  return /laddr=127\.0\.0\.1:(\d+)/.exec(await ask('CLIENT', 'INFO'))?.[1]
}
