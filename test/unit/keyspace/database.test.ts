import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KeyspaceFull } from '../../../src/keyspace/full.ts'
import { Keyspace } from '../../../src/keyspace/keyspace.ts'
import { createRandom } from '../../../src/model/random.ts'

const NOW = 1_700_000_000_000

function createSpace(maxBytes = 0): Keyspace {
  const space = new Keyspace({ databases: 4, random: createRandom(7), maxBytes })
  space.now = NOW
  return space
}

function database(space: Keyspace, number = 0): Keyspace['databases'][number] {
  const found = space.databases[number]
  if (found === undefined) throw new Error('no such database')
  return found
}

describe('database: keys and their deadlines', () => {
  it('gives back every text, whatever its bytes and its length', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ unit: 'binary', maxLength: 40 }), fc.string({ unit: 'binary', maxLength: 300 }))),
        (pairs) => {
          // Arrange
          const db = database(createSpace())
          const latin = (text: string): string => Buffer.from(text).toString('latin1')

          // Act
          for (const [key, value] of pairs) db.putText(latin(key), latin(value))

          // Assert
          const expected = new Map(pairs.map(([key, value]) => [latin(key), latin(value)]))
          for (const [key, value] of expected) expect(db.look(key)).toMatchObject({ kind: 'string', text: value })
          expect(db.size).toBe(expected.size)
        },
      ),
    )
  })

  it('shows a key up to the millisecond before its deadline, and not at it', () => {
    // Arrange
    const space = createSpace()
    const db = database(space)
    db.putText('k', 'v')
    db.setDeadline('k', NOW + 10)

    // Act and assert
    space.now = NOW + 9
    expect(db.has('k')).toBe(true)
    space.now = NOW + 10
    expect(db.size).toBe(1)
    expect(db.has('k')).toBe(false)
    expect(db.size).toBe(0)
    expect(space.stats.expired).toBe(1)
  })

  it('removes what expired though nobody looks', () => {
    // Arrange
    const space = createSpace()
    const db = database(space)
    const gone: string[] = []
    space.onEvent = (_, event, { key }) => void gone.push(`${event} ${key}`)
    for (let i = 0; i < 50; i += 1) db.putText(`k${i}`, 'v')
    for (let i = 0; i < 25; i += 1) db.setDeadline(`k${i}`, NOW + 1)

    // Act
    space.now = NOW + 2
    for (let rounds = 0; rounds < 50 && db.expiring > 0; rounds += 1) space.expireSome(100)

    // Assert
    expect(db.size).toBe(25)
    expect(db.expiring).toBe(0)
    expect(gone.filter((line) => line.startsWith('expired '))).toHaveLength(25)
  })

  it('keeps or drops a deadline when a text is replaced', () => {
    // Arrange
    const db = database(createSpace())
    db.putText('k', 'v')
    db.setDeadline('k', NOW + 1000)

    // Act
    db.putText('k', 'w', { keepDeadline: true })
    const kept = db.deadline('k')
    db.putText('k', 'x')

    // Assert
    expect(kept).toBe(NOW + 1000)
    expect(db.deadline('k')).toBe(0)
    expect(db.expiring).toBe(0)
  })

  it('exchanges two databases, and empties one without touching the other', () => {
    // Arrange
    const space = createSpace()
    const [one, other] = [database(space, 0), database(space, 1)]
    one.putText('k', 'one')
    other.putText('k', 'other')
    other.putText('l', 'other')

    // Act
    space.swap(0, 1)
    const swapped = [one.look('k'), other.look('k'), one.size]
    space.clear([one])

    // Assert
    expect(swapped).toMatchObject([{ text: 'other' }, { text: 'one' }, 2])
    expect([one.size, other.size, one.has('k'), other.has('k')]).toEqual([0, 1, false, true])
  })

  it('meets every key of a database in a scan, and no other', () => {
    // Arrange
    const space = createSpace()
    for (let i = 0; i < 500; i += 1) database(space, i % 2).putText(`k${i}`, 'v')
    const seen = new Set<string>()

    // Act
    const db = database(space, 1)
    for (let cursor = db.scan(0, 7, (key) => seen.add(key)); cursor !== 0; ) cursor = db.scan(cursor, 7, (key) => seen.add(key))

    // Assert
    expect(seen.size).toBe(250)
    expect([...seen].every((key) => Number(key.slice(1)) % 2 === 1)).toBe(true)
  })

  it('evicts rather than to exceed its limit, or refuses where it may not', () => {
    // Arrange
    const space = createSpace(1024 * 1024)
    const db = database(space)
    space.evicts = true

    // Act
    for (let i = 0; i < 5000; i += 1) db.putText(`k${i}`, 'v'.repeat(1000))
    const kept = db.size
    space.evicts = false
    const fill = (): void => {
      for (let i = 0; i < 5000; i += 1) db.putText(`other${i}`, 'v'.repeat(1000))
    }

    // Assert
    expect(kept).toBeGreaterThan(200)
    expect(space.usedBytes).toBeLessThanOrEqual(1024 * 1024)
    expect(space.stats.evicted).toBe(5000 - kept)
    expect(fill).toThrow(KeyspaceFull)
  })
})

describe('database: strings straight from bytes', () => {
  it('counts its keys right though others leave as one comes', () => {
    // Arrange
    const space = createSpace(512 * 1024)
    space.evicts = true
    const db = database(space)

    // Act
    for (let i = 0; i < 4000; i += 1) {
      const value = 'v'.repeat(500 + (i % 900))
      const bytes = Buffer.from(`k${i % 3000}$${value.length}\r\n${value}\r\n`)
      const head = bytes.indexOf(36)
      space.table.key.set(bytes, 0, head)
      space.table.key.space = db.space
      expect(db.putAsked(bytes, head, bytes.length)).toBe(true)
    }

    // Assert
    let seen = 0
    const count = (): void => void (seen += 1)
    for (let cursor = db.scan(0, 100, count); cursor !== 0; ) cursor = db.scan(cursor, 100, count)
    expect(space.stats.evicted).toBeGreaterThan(1000)
    expect(db.size).toBe(seen)
    expect(db.size).toBe(space.table.bytes.size)
  })
})

describe('database: who watches', () => {
  it('marks a watcher when his key changes, in his database only', () => {
    // Arrange
    const space = createSpace()
    const watcher = { isDirty: false, watched: [] }
    space.watches.watch({ database: 0, key: 'k', watcher, wasExpired: false })

    // Act
    database(space, 1).changed('k')
    const before = watcher.isDirty
    database(space, 0).changed('k')

    // Assert
    expect([before, watcher.isDirty]).toEqual([false, true])
  })

  it('forgives the going of a key that had expired when it was watched', () => {
    // Arrange
    const space = createSpace()
    const db = database(space)
    db.putText('k', 'v')
    db.setDeadline('k', NOW + 1)
    space.now = NOW + 5
    const watcher = { isDirty: false, watched: [] }
    space.watches.watch({ database: 0, key: 'k', watcher, wasExpired: db.isExpired('k') })

    // Act
    db.look('k')

    // Assert
    expect(watcher.isDirty).toBe(false)
  })
})
