import { describe, expect, it } from 'vitest'
import { followFence } from '../../../src/flow/mount-fence.ts'
import { createVirtualClock } from '../../../src/model/virtual-clock.ts'
import { Fence } from '../../../src/tier/fence.ts'

function setUp() {
  const fence = new Fence(createVirtualClock())
  const told: string[] = []
  const view = {
    forgetKey: (name: string) => void told.push(name),
    forgetPrefix: (prefix: string) => void told.push(`${prefix}*`),
    forgetTag: (tag: string) => void told.push(`#${tag}`),
    forgetAll: () => void told.push('*'),
  }
  let version = 1
  const stop = followFence({ fence, name: 'redis', prefix: () => `redis:v${version}:`, view: () => view })
  return { fence, stop, heard: () => told.splice(0), bump: () => (version += 1) }
}

describe('what is invalidated', () => {
  it('reaches values that stand elsewhere by key, in their namespace and its version alone', () => {
    const { fence, heard, bump } = setUp()
    const other = fence.namespace('other')
    const keys = [
      { kind: 'key', key: 'redis:v1:a' },
      { kind: 'key', key: 'other:v1:b' },
      { kind: 'namespace', namespace: other },
    ] as const
    fence.append(keys, false, 'test')
    expect(heard()).toEqual(['a'])

    bump()
    fence.append([keys[0], { kind: 'key', key: 'redis:v2:c' }], false, 'test')
    expect(heard()).toEqual(['c'])
  })

  it('reaches all of them where all are named, and those that a prefix or a tag names', () => {
    const { fence, heard } = setUp()
    const cases = [
      [{ kind: 'all' }, '*'],
      [{ kind: 'namespace', namespace: fence.namespace('redis') }, '*'],
      [{ kind: 'prefix', prefix: 'redis:v1:x' }, 'x*'],
      [{ kind: 'prefix', prefix: 're' }, '*'],
      [{ kind: 'tag', tag: 'user:1' }, '#user:1'],
    ] as const
    for (const [target, expected] of cases) {
      fence.append([target], true, 'test')
      expect(heard()).toEqual([expected])
    }
  })

  it('is none of their business under other prefixes, and after it has stopped', () => {
    const { fence, stop, heard } = setUp()
    fence.append([{ kind: 'prefix', prefix: 'other:' }], false, 'test')
    stop()
    fence.append([{ kind: 'all' }], false, 'test')
    expect(heard()).toEqual([])
  })
})
