/**
 * A body that was looked for, and not there, was taken for an empty one when the next entry named it: its codings were
 * then put beside a response that had none, and the process fell.
 */
import { describe, expect, it } from 'vitest'
import { Shares } from '../../src/shelf/shares.ts'
import { bytesSource, HeldPress, plainText, wordy } from '../support/coded-origin.ts'
import { DoorStand } from '../support/door-stand.ts'

describe('a body that is looked for', () => {
  it('is not held by having been looked for', () => {
    const shares = new Shares()
    expect(shares.held('set:a')).toBeUndefined()
    expect(shares.retain('set:a', 10)).toBe(false)
    shares.canonical('set:a', 'body')
    expect([shares.retain('set:a', 4), shares.held('set:a')]).toEqual([true, 'body'])
    shares.release('set:a')
    expect(shares.held('set:a')).toBeUndefined()
  })

  it('stays readable when its entry is renewed after the last holder of its codings has gone', async () => {
    const press = new HeldPress()
    const body = (): ReturnType<typeof bytesSource> => bytesSource(Buffer.from(wordy('x')))
    const fields = { 'cache-control': 'max-age=1', 'content-type': 'text/css', etag: '"x"' }
    const stand = new DoorStand(
      (head) => (head.fields.has('if-none-match') ? { status: 304, fields } : { fields, body: body() }),
      {
        compress: true,
        press,
      },
    )
    await stand.get('/a')
    await press.release()
    stand.clock.advance(2000)
    const renewing = stand.get('/a') // validated, and put again, naming the codings' body
    stand.engine.memory.clear()
    await stand.get('/b') // looks for the codings of an equal body, which nobody holds
    await renewing
    while (press.held > 0) await press.release()
    for (const path of ['/a', '/b'])
      expect(plainText(await stand.get(path, { fields: { 'accept-encoding': 'br' } }))).toBe(wordy('x'))
  })
})
