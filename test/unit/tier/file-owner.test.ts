import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/model/clock.ts'
import { FileOwner } from '../../../src/tier/file-owner.ts'

const clock = systemClock()
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'forecache-owner-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe.runIf(process.platform === 'linux')('the owner of a file', () => {
  it('is one, by whatever name the file is called; others have theirs', async () => {
    symlinkSync(folder, `${folder}-link`)
    const owner = await FileOwner.take(join(folder, 'data'), clock, 0)

    expect(owner).toBeDefined()
    expect(await FileOwner.take(join(folder, '.', 'data'), clock, 0)).toBeUndefined()
    expect(await FileOwner.take(join(`${folder}-link`, 'data'), clock, 0)).toBeUndefined()
    const other = await FileOwner.take(join(folder, 'other'), clock, 0)
    expect(other).toBeDefined()
    owner?.release()
    other?.release()
    rmSync(`${folder}-link`)
  })

  it('is followed by who waits for it', async () => {
    const path = join(folder, 'data')
    const owner = await FileOwner.take(path, clock, 0)
    const next = FileOwner.take(path, clock, 5000)
    owner?.release()

    const follower = await next

    expect(follower).toBeDefined()
    follower?.release()
  })

  it('leaves nothing behind when it is killed', async () => {
    const path = join(folder, 'data')
    const file = join(import.meta.dirname, '../../../src/tier/file-owner.ts')
    const model = join(import.meta.dirname, '../../../src/model/clock.ts')
    const program = `import { FileOwner } from ${JSON.stringify(file)}
      import { systemClock } from ${JSON.stringify(model)}
      await FileOwner.take(${JSON.stringify(path)}, systemClock(), 0)
      console.log('taken')
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(child.stdout, 'data')
    expect(await FileOwner.take(path, clock, 0)).toBeUndefined()

    child.kill('SIGKILL')
    await once(child, 'close')

    const owner = await FileOwner.take(path, clock, 0)
    expect(owner).toBeDefined()
    owner?.release()
  })
})
