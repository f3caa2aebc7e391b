import { describe, expect, it } from 'vitest'
import { createCache } from '../../../src/flow/cache.ts'
import { createVirtualClock } from '../../../src/model/virtual-clock.ts'
import { followFence } from '../../../src/server/resp-fence.ts'

function setUp() {
  const cache = createCache({ clock: createVirtualClock() })
  const told: string[] = []
  const stop = followFence(cache, 'redis', { key: (name) => void told.push(name), all: () => void told.push('*') })
  const { fence } = cache.engine
  return { cache, fence, stop, heard: () => told.splice(0) }
}

describe('what other doors invalidate', () => {
  it('reaches the Redis door by key, in its namespace alone', () => {
    const { fence, heard } = setUp()
    const other = fence.namespace('other')
    fence.append(
      [
        { kind: 'key', key: 'redis:v1:a' },
        { kind: 'key', key: 'other:v1:b' },
        { kind: 'namespace', namespace: other },
      ],
      false,
      'test',
    )
    expect(heard()).toEqual(['a'])
  })

  it('empties it where all of it is named, or a prefix that reaches into it', () => {
    const { fence, heard } = setUp()
    for (const target of [
      { kind: 'all' } as const,
      { kind: 'namespace', namespace: fence.namespace('redis') } as const,
      { kind: 'prefix', prefix: 'redis:v1:x' } as const,
      { kind: 'prefix', prefix: 're' } as const,
    ]) {
      fence.append([target], true, 'test')
      expect(heard()).toEqual(['*'])
    }
  })

  it('is none of its business under other prefixes and tags, and after it has stopped', () => {
    const { fence, stop, heard } = setUp()
    fence.append(
      [
        { kind: 'prefix', prefix: 'other:' },
        { kind: 'tag', tag: 'redis' },
      ],
      false,
      'test',
    )
    stop()
    fence.append([{ kind: 'all' }], false, 'test')
    expect(heard()).toEqual([])
  })
})
