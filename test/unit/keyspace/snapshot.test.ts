import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HashValue } from '../../../src/keyspace/hash-value.ts'
import { Keyspace } from '../../../src/keyspace/keyspace.ts'
import { ListValue } from '../../../src/keyspace/list-value.ts'
import { writeDump } from '../../../src/keyspace/rdb-dump.ts'
import { SnapshotKeeper } from '../../../src/keyspace/snapshot-keeper.ts'
import { loadSnapshot } from '../../../src/keyspace/snapshot-load.ts'
import { saveSnapshot } from '../../../src/keyspace/snapshot-save.ts'
import { ZsetValue } from '../../../src/keyspace/zset-value.ts'
import { createRandom } from '../../../src/model/random.ts'
import { createVirtualClock } from '../../../src/model/virtual-clock.ts'

const NOW = 1_700_000_000_000
const QUIET = { isOver: () => false, hold: () => undefined }
let directory: string
let path: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'forecache-snapshot-'))
  path = join(directory, 'data')
})

afterEach(() => rmSync(directory, { recursive: true, force: true }))

function createSpace(maxBytes = 0): Keyspace {
  const space = new Keyspace({ databases: 4, random: createRandom(7), maxBytes })
  space.now = NOW
  return space
}

type Database = Keyspace['databases'][number]

function database(space: Keyspace, number = 0): Database {
  return space.databases[number] as Database
}

/** Everything that it holds. */
function shown(space: Keyspace): readonly string[] {
  return space.databases.flatMap((db) => {
    const keys: string[] = []
    for (let cursor = db.scan(0, 100, (key) => keys.push(key)); cursor !== 0; )
      cursor = db.scan(cursor, 100, (key) => keys.push(key))
    return keys.toSorted().map((key) => {
      const value = db.peek(key)
      return `${db.number} ${key} ${db.deadline(key)} ${value && writeDump(value).toString('base64')}`
    })
  })
}

/** One random change, as commands make them. */
function change(space: Keyspace, random: () => number): void {
  const draw = (below: number): number => Math.floor(random() * below)
  const db = database(space, draw(4))
  const key = `key ${draw(400)}`
  const kind = draw(100)
  if (kind === 0) return space.clear([db])
  if (kind === 1) return space.swap(db.number, draw(4))
  if (kind < 20) db.remove(key)
  else if (kind < 60) db.putText(key, draw(2) === 0 ? String(draw(1e9)) : 'x'.repeat(draw(300)))
  else if (kind < 70) db.setDeadline(key, NOW + 1 + draw(1e6))
  else if (kind < 85) {
    const former = db.peek(key)
    const list = former instanceof ListValue ? former : new ListValue()
    if (list !== former) db.put(key, list)
    list.push(String(draw(1e6)), draw(2) === 0)
  } else {
    const former = db.peek(key)
    const zset = former instanceof ZsetValue ? former : new ZsetValue({ limits: space.limits, random })
    if (zset !== former) db.put(key, zset)
    zset.set(`member ${draw(200)}`, draw(1000) / 8)
  }
  db.changed(key)
}

function fill(space: Keyspace): void {
  database(space).putText('text', 'value \0 \xff')
  database(space).putText('number', '42')
  database(space, 3).putText('', '')
  database(space).putText('until', 'later')
  database(space).setDeadline('until', NOW + 5000)
  const list = new ListValue()
  list.push('a', false)
  database(space, 1).put('list', list)
  const hash = new HashValue(space.limits)
  hash.set('field', 'x'.repeat(100))
  database(space, 1).put('hash', hash)
}

describe('a snapshot', () => {
  it('gives back all databases, values and deadlines', async () => {
    // Arrange
    const space = createSpace()
    const random = createRandom(11)
    fill(space)
    for (let i = 0; i < 5000; i += 1) change(space, random)
    for (const bytes of [5000, 70_000, 3_000_000]) database(space, 2).putText(`large ${bytes}`, 'x\xff'.repeat(bytes / 2))
    const other = createSpace()
    database(other).putText('former', 'data')

    // Act
    await saveSnapshot(space, { path, ...QUIET })
    other.clear(other.databases)
    const loaded = await loadSnapshot(other, path)

    // Assert
    expect(shown(other)).toEqual(shown(space))
    expect(loaded).toMatchObject({ expired: 0, refused: 0, writtenAt: NOW, keys: shown(space).length })
    expect([space.dirty, other.dirty]).toEqual([0, 0])
    expect(readdirSync(directory)).toEqual(['data'])
  })

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('is that of one moment though everything changes meanwhile (seed %i)', async (seed) => {
    // Arrange
    const space = createSpace()
    const random = createRandom(seed)
    for (let i = 0; i < 3000; i += 1) change(space, random)
    let journal: Keyspace['journal']
    let atEnd: readonly string[] = []
    Object.defineProperty(space, 'journal', {
      get: () => journal,
      set: (given: Keyspace['journal']) => {
        journal = given
        if (given === undefined) atEnd = shown(space)
      },
    })
    let isDone = false
    const disturb = (): void => {
      for (let i = 0; i < 40; i += 1) change(space, random)
      if (!isDone) setImmediate(disturb)
    }
    disturb()

    // Act
    await saveSnapshot(space, { path, ...QUIET })
    isDone = true
    const other = createSpace()
    await loadSnapshot(other, path)

    // Assert
    expect(shown(other)).toEqual(atEnd)
  })

  it('leaves out what has expired meanwhile', async () => {
    // Arrange
    const space = createSpace()
    fill(space)
    await saveSnapshot(space, { path, ...QUIET })
    const other = createSpace()
    other.now = NOW + 5000

    // Act
    const loaded = await loadSnapshot(other, path)

    // Assert
    expect(database(other).has('until')).toBe(false)
    expect(loaded).toMatchObject({ expired: 1, keys: 5 })
  })

  it('is refused whole wherever it is cut off or a bit of it is another', async () => {
    // Arrange
    const space = createSpace()
    fill(space)
    await saveSnapshot(space, { path, ...QUIET })
    const whole = readFileSync(path)
    const files = Array.from({ length: whole.length }, (_, length) => whole.subarray(0, length))
    for (let bit = 0; bit < whole.length * 8; bit += 1) {
      const changed = Buffer.from(whole)
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7))
      files.push(changed)
    }
    files.push(Buffer.concat([whole, Buffer.from([0])]), Buffer.concat([whole, whole]))
    const other = createSpace()

    // Act
    const codes = new Set<unknown>()
    for (const file of files) {
      writeFileSync(path, file)
      const error: unknown = await loadSnapshot(other, path).catch((reason: unknown) => reason)
      codes.add(error instanceof Error && 'code' in error ? error.code : error)
      if (shown(other).length > 0) codes.add('something is left')
    }

    // Assert
    expect([...codes]).toEqual(['FC_KEYSPACE_SNAPSHOT'])
  })

  it('is read as far as memory allows where nothing may leave', async () => {
    // Arrange
    const space = createSpace()
    for (let i = 0; i < 2000; i += 1) database(space).putText(`key ${i}`, 'x'.repeat(500))
    await saveSnapshot(space, { path, ...QUIET })
    const other = createSpace(512 * 1024)

    // Act
    const loaded = await loadSnapshot(other, path)

    // Assert
    expect(loaded?.refused).toBeGreaterThan(500)
    expect(loaded?.keys).toBe(2000 - (loaded?.refused ?? 0))
  })

  it('leaves the former one when it is given up, and remembers what has changed', async () => {
    // Arrange
    const space = createSpace()
    fill(space)
    await saveSnapshot(space, { path, ...QUIET })
    const former = readFileSync(path)
    for (let i = 0; i < 1000; i += 1) {
      database(space).putText(`key ${i}`, 'x')
      database(space).changed(`key ${i}`)
    }
    let looks = 0

    // Act
    const failed = await saveSnapshot(space, { path, isOver: () => (looks += 1) > 2, hold: () => undefined }).catch(
      (error: unknown) => error,
    )

    // Assert
    expect(failed).toMatchObject({ name: 'SnapshotAbandoned' })
    expect(readFileSync(path).equals(former)).toBe(true)
    expect(space.dirty).toBe(1000)
    expect(space.journal).toBeUndefined()
    expect(readdirSync(directory)).toEqual(['data'])
  })
})

describe('the keeper of snapshots', () => {
  it('writes at its interval while something changes, and at the end', async () => {
    // Arrange
    const clock = createVirtualClock(NOW)
    const space = createSpace()
    const keeper = new SnapshotKeeper(space, clock, { path, intervalMs: 1000 })
    await keeper.open()

    // Act
    await clock.advance(5000)
    const before = readdirSync(directory)
    database(space).putText('key', 'first')
    database(space).changed('key')
    await clock.advance(1000)
    await keeper.save()
    const after = readdirSync(directory)
    database(space).putText('key', 'second')
    database(space).changed('key')
    await keeper.close(1000)
    const other = createSpace()
    await loadSnapshot(other, path)

    // Assert
    expect([before, after]).toEqual([[], ['data']])
    expect(database(other).look('key')).toMatchObject({ text: 'second' })
    expect(keeper.lastFailed).toBe(false)
    expect(keeper.lastSaveSeconds).toBe(Math.floor(clock.wall() / 1000))
  })

  it('puts aside what is not whole and begins without data', async () => {
    // Arrange
    writeFileSync(path, 'no snapshot at all')
    const errors: unknown[] = []
    const silent = (): void => undefined
    const logger = { debug: silent, info: silent, warn: silent, error: (detail: object) => errors.push(detail) }
    const keeper = new SnapshotKeeper(createSpace(), createVirtualClock(), { path, intervalMs: 0, logger })

    // Act
    await keeper.open()

    // Assert
    expect(readdirSync(directory)).toEqual(['data.damaged'])
    expect(errors).toEqual([
      expect.objectContaining({ aside: `${path}.damaged`, reason: expect.stringContaining('it is no snapshot') }),
    ])
  })

  it('does not begin over a file that it cannot read, nor write over it', async () => {
    // Arrange
    const keeper = new SnapshotKeeper(createSpace(), createVirtualClock(), { path: directory, intervalMs: 0 })

    // Act
    const failed = await keeper.open().catch((error: unknown) => error)
    await keeper.close(1000)

    // Assert
    expect(failed).toMatchObject({ code: 'EISDIR' })
  })

  it('tells of a disk that does not take it, and goes on', async () => {
    // Arrange
    writeFileSync(path, '')
    const keeper = new SnapshotKeeper(createSpace(), createVirtualClock(), { path: join(path, 'below'), intervalMs: 0 })

    // Act
    const failed = await keeper.save().catch((error: unknown) => error)

    // Assert
    expect(failed).toMatchObject({ syscall: 'mkdir' })
    expect([keeper.lastFailed, keeper.isSaving]).toEqual([true, false])
  })
})
