import fc from 'fast-check'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { elapsedBetween, type MachineTime } from '../../../src/tier/machine.ts'
import { openSnapshot, type SnapshotFile, writeSnapshot } from '../../../src/tier/snapshot-store.ts'
import { createSeal } from '../../../src/wire/seal.ts'
import type { SnapshotHead, SnapshotRecord } from '../../../src/wire/snapshot-file.ts'

const HEAD: SnapshotHead = {
  writtenAt: 1_767_225_600_000,
  boot: 'boot-1',
  uptimeMs: 5000,
  meaning: 'rules',
  generation: 'log',
  asOf: 42,
  storeAt: 1_767_225_600_001,
  drained: true,
}
const RECORDS: readonly SnapshotRecord[] = Array.from({ length: 20 }, (_, at) => ({
  key: `http://shop/${at}`,
  ageMs: at * 10,
  envelope: Buffer.alloc(at * 50, at),
}))
const SEAL = createSeal([{ id: 'k', secret: Buffer.alloc(32, 7).toString('hex') }])

let directory: string
const file = (given: Partial<SnapshotFile> = {}): SnapshotFile => ({
  path: join(directory, 'deep', 'hot.snapshot'),
  maxBytes: 1024 * 1024,
  seal: undefined,
  ...given,
})
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'forecache-snapshot-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

async function* each(records: readonly SnapshotRecord[]): AsyncGenerator<SnapshotRecord> {
  yield* records
}

async function readAll(given: SnapshotFile): Promise<{ head: SnapshotHead; records: SnapshotRecord[] } | undefined> {
  const reading = await openSnapshot(given)
  if (reading === undefined) return undefined
  const records: SnapshotRecord[] = []
  for await (const { key, ageMs, envelope } of reading.records) records.push({ key, ageMs, envelope: Buffer.from(envelope) })
  await reading.close()
  return { head: reading.head, records }
}

describe('the file of a snapshot', () => {
  it.each([
    ['plain', undefined],
    ['encrypted', SEAL],
  ])('gives back what was written, %s', async (_, seal) => {
    const { entries, bytes } = await writeSnapshot(file({ seal }), HEAD, each(RECORDS))

    expect(await readAll(file({ seal }))).toEqual({ head: HEAD, records: RECORDS })
    expect(entries).toBe(20)
    expect(statSync(file().path)).toMatchObject({ size: bytes })
    expect(statSync(file().path).mode & 0o777).toBe(0o600)
    expect(readFileSync(file().path, 'latin1').includes('shop')).toBe(seal === undefined)
  })

  it('is none where none was written', async () => {
    expect(await readAll(file())).toBe(undefined)
  })

  it('takes no more than its bound, when written and when read', async () => {
    const { entries, bytes } = await writeSnapshot(file({ maxBytes: 2000 }), HEAD, each(RECORDS))
    expect(bytes).toBeLessThanOrEqual(2000)
    expect(entries).toBeLessThan(20)
    expect((await readAll(file()))?.records).toEqual(RECORDS.slice(0, entries))

    await writeSnapshot(file(), HEAD, each(RECORDS))
    const read = await readAll(file({ maxBytes: 2000 }))
    expect(read?.records).toEqual(RECORDS.slice(0, read?.records.length))
    expect(read?.records.length).toBeLessThan(20)
  })

  it('leaves the former one where writing fails', async () => {
    await writeSnapshot(file(), HEAD, each(RECORDS.slice(0, 3)))
    async function* failing(): AsyncGenerator<SnapshotRecord> {
      yield RECORDS[0] as SnapshotRecord
      throw new Error('no more')
    }
    await expect(writeSnapshot(file(), HEAD, failing())).rejects.toThrow('no more')

    expect((await readAll(file()))?.records).toHaveLength(3)
  })

  it('refuses another key, another kind, another version', async () => {
    await writeSnapshot(file(), HEAD, each(RECORDS))
    await expect(readAll(file({ seal: SEAL }))).rejects.toThrow('not encrypted')
    await writeSnapshot(file({ seal: SEAL }), HEAD, each(RECORDS))
    await expect(readAll(file())).rejects.toThrow('is encrypted')
    const other = createSeal([{ id: 'k', secret: Buffer.alloc(32, 8).toString('hex') }])
    await expect(readAll(file({ seal: other }))).rejects.toThrow('FC_SNAPSHOT_FILE')
    writeFileSync(file().path, Buffer.from('FCSNAP\u0009\u0000 and more'))
    await expect(readAll(file())).rejects.toThrow('version 9')
    writeFileSync(file().path, '{}')
    await expect(readAll(file())).rejects.toThrow('it is no snapshot')
  })

  it('is read as far as it is whole, wherever it is torn or changed, and never wrongly', async () => {
    await writeSnapshot(file(), HEAD, each(RECORDS))
    const whole = readFileSync(file().path)
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.byteLength - 1), fc.integer({ min: 0, max: 255 }), async (at, change) => {
        const bytes = Buffer.from(change === 0 ? whole.subarray(0, at) : whole)
        if (change !== 0) bytes[at] = (bytes[at] as number) ^ change
        writeFileSync(file().path, bytes)
        const read = await readAll(file()).catch((error: Error) => error)
        if (read instanceof Error) expect(read.message).toMatch(/FC_SNAPSHOT_FILE/)
        else {
          expect(read?.head).toEqual(HEAD)
          expect(read?.records).toEqual(RECORDS.slice(0, read?.records.length))
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('the time between two readings of a machine', () => {
  const before: MachineTime = { wallAt: 1_000_000, boot: 'a', uptimeMs: 50_000, storeAt: 2_000_000 }

  it('is what the clock that nobody sets says, or more where another one says more', () => {
    expect(elapsedBetween(before, { ...before, wallAt: 1_010_000, uptimeMs: 60_000, storeAt: 0 })).toBe(11_000)
    expect(elapsedBetween(before, { ...before, wallAt: 1_090_000, uptimeMs: 60_000, storeAt: 0 })).toBe(90_000)
    expect(elapsedBetween(before, { ...before, wallAt: 1_010_000, uptimeMs: 60_000, storeAt: 2_070_000 })).toBe(70_000)
  })

  it('is not shortened by a wall clock that was set back', () => {
    expect(elapsedBetween(before, { ...before, wallAt: 0, uptimeMs: 60_000, storeAt: 0 })).toBe(11_000)
  })

  it('is not known where nothing but the wall clock says it, or a clock ran backwards', () => {
    expect(elapsedBetween(before, { ...before, boot: 'b', wallAt: 1_010_000, storeAt: 0 })).toBe(undefined)
    expect(elapsedBetween({ ...before, boot: '' }, { ...before, boot: '', storeAt: 0 })).toBe(undefined)
    expect(elapsedBetween(before, { ...before, uptimeMs: 40_000 })).toBe(undefined)
    expect(elapsedBetween(before, { ...before, boot: 'b', storeAt: 1_999_999 })).toBe(undefined)
  })

  it('is the store’s on another machine', () => {
    expect(elapsedBetween(before, { wallAt: 1_001_000, boot: 'b', uptimeMs: 5, storeAt: 2_030_000 })).toBe(30_000)
  })
})
