/**
 * The race that most caches lose: what is invalidated while it is being loaded must not be stored or served afterwards.
 * Every way to invalidate against every way to fill; the HTTP doors' fills stand in test/contract and test/process.
 */
import { describe, expect, it } from 'vitest'
import { type Cache, createCache } from '../../src/flow/cache.ts'
import type { LoadContext } from '../../src/flow/loader.ts'
import { createVirtualClock, type VirtualClock } from '../../src/model/virtual-clock.ts'

const BUDGET = { fresh: 100, stale: 10_000, onError: 20_000 }

interface Stage {
  readonly clock: VirtualClock
  readonly root: Cache
  readonly view: Cache
  /** Version at the origin. */
  version: number
  /** Reads the origin now, answers 50 ms later. */
  load(context: LoadContext<number>): Promise<number>
}

function setStage(): Stage {
  const clock = createVirtualClock()
  const root = createCache({ clock, deadlines: { hard: 20, maxLoad: 200 }, backoff: { first: 0 } })
  const stage: Stage = {
    clock,
    root,
    view: root.namespace('shop'),
    version: 1,
    load: async (context) => {
      const version = stage.version
      await new Promise<void>((resolve) => void clock.after(50, resolve))
      context.etag(String(version))
      context.tag('learned')
      return context.previous?.etag === String(version) ? context.notModified() : version
    },
  }
  return stage
}

const invalidations: Record<string, (stage: Stage) => Promise<unknown>> = {
  'by key': ({ view }) => view.invalidate({ keys: ['k'] }),
  'by delete': ({ view }) => view.delete('k'),
  'by declared tag': ({ root }) => root.invalidate({ tags: ['declared'] }),
  'by a tag learned only with the answer': ({ root }) => root.invalidate({ tags: ['learned'] }),
  'by event': ({ root }) => root.invalidate({ events: [{ type: 'declared.changed', id: 1 }] }),
  'by prefix': ({ view }) => view.invalidate({ prefixes: ['k'] }),
  'by namespace': ({ root }) => root.invalidate({ namespaces: ['shop'] }),
  'by clear': ({ root }) => root.invalidate({ all: true }),
}

/** Brings the cache to the moment where a load of version 1 is under way; resolves the promise when the load has ended. */
const fills: Record<string, (stage: Stage) => Promise<{ ended: () => Promise<void> }>> = {
  'a foreground load': async (stage) => {
    const answer = ask(stage, { hard: 1000 })
    return { ended: () => finish(stage, answer) }
  },
  'a background refresh': async (stage) => {
    await stage.view.set('k', 1, { budget: BUDGET, tags: ['declared', 'declared:1', 'learned'] })
    stage.clock.advance(150)
    const answer = ask(stage, {})
    return { ended: () => finish(stage, answer) }
  },
  'a load that timed out for its caller': async (stage) => {
    const answer = ask(stage, { hard: 20 })
    await stage.clock.advanceAsync(25)
    return { ended: () => finish(stage, answer) }
  },
  'a renewal of what did not change (304)': async (stage) => {
    const first = ask(stage, { hard: 1000 })
    await stage.clock.advanceAsync(60)
    await first
    stage.clock.advance(BUDGET.onError + 1)
    const answer = ask(stage, { hard: 1000 })
    return { ended: () => finish(stage, answer) }
  },
  'many keys in one load': async (stage) => {
    const answer = stage.view.getMany(
      ['k', 'j'],
      { budget: BUDGET, tags: ['declared', 'declared:1', 'learned'], hard: 1000 },
      async (keys) => {
        const version = stage.version
        await new Promise<void>((resolve) => void stage.clock.after(50, resolve))
        return keys.map(() => version)
      },
    )
    return { ended: () => finish(stage, answer) }
  },
  'a reading kept by hand': async (stage) => {
    const reading = stage.view.begin('k')
    const { version } = stage
    return { ended: async () => void reading.keep(version, { budget: BUDGET, tags: ['declared', 'declared:1', 'learned'] }) }
  },
}

describe('invalidation during a load', () => {
  for (const [how, invalidate] of Object.entries(invalidations)) {
    for (const [what, begin] of Object.entries(fills)) {
      it(`${how}, during ${what}: nothing read before it is served after it`, async () => {
        // Arrange
        const stage = setStage()
        const { ended } = await begin(stage)
        await stage.clock.advanceAsync(1)

        // Act
        stage.version = 2
        await invalidate(stage)
        const during = ask(stage, { hard: 1000 })
        await ended()
        await stage.clock.advanceAsync(200)

        // Assert: not those who came while the old load still ran, and not those who came after it
        expect((await during).data).toBe(2)
        expect((await answered(stage, ask(stage, { hard: 1000 }))).data).toBe(2)
        expect([undefined, 2]).toContain(stage.view.peek('k'))
      })
    }
  }
})

function ask(stage: Stage, deadline: { hard?: number }) {
  const answer = stage.view.fetch<number>('k', { budget: BUDGET, tags: ['declared', 'declared:1'], ...deadline }, (context) =>
    stage.load(context),
  )
  answer.catch(() => {})
  return answer
}

async function answered<T>(stage: Stage, answer: Promise<T>): Promise<T> {
  await stage.clock.advanceAsync(100)
  return answer
}

async function finish(stage: Stage, answer: Promise<unknown>): Promise<void> {
  await stage.clock.advanceAsync(100)
  await answer.catch(() => {})
}
