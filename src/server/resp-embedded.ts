/**
 * What stands behind the Redis door when there is no upstream: the data itself.
 *
 * Floor 5, room server.
 */
import { Embedded } from '../resp/embedded.ts'
import { EmbeddedValues } from '../resp/embedded-port.ts'
import { GatherRoom } from '../resp/session-gather.ts'
import { REQUEST_LIMITS } from '../wire/resp-limits.ts'
import type { Config } from './config-schema.ts'
import type { RespBack, RespDoorParts } from './resp-back.ts'
import { EmbeddedClient, type EmbeddedClientParts } from './resp-embedded-client.ts'
import { memoryOf } from './resp-memory.ts'
import type { RespSettings } from './resp-schema.ts'
import { SlowDown } from './resp-slow-down.ts'

export function createEmbeddedBack(config: Config, { engine, logger }: RespDoorParts): RespBack {
  const settings = config.resp as RespSettings
  const { clock } = engine
  const { snapshot } = settings
  const embedded = new Embedded({
    ...{ clock, maxBytes: memoryOf(config), password: settings.password ?? '' },
    snapshot: snapshot && { path: snapshot.file, intervalMs: snapshot.interval, logger },
  })
  const values = new EmbeddedValues(embedded)
  const { space } = embedded.server
  embedded.server.onFault = (error) => logger.error({ err: error }, 'a command of the Redis door failed for a reason of ours')
  const counts = { refused: 0, overflows: 0 }
  engine.meter.follow('respRefused', () => counts.refused)
  engine.meter.follow('respOverflows', () => counts.overflows)
  const { limits } = settings
  const parts: EmbeddedClientParts = {
    ...{ executor: embedded, room: new GatherRoom(), settings, clock, slowDown: new SlowDown(clock) },
    limits: { ...REQUEST_LIMITS, maxBulkBytes: limits.bulk, maxRequestBytes: limits.query, largeBytes: limits.query },
    onOverflow: () => {
      counts.overflows += 1
    },
  }
  return {
    get gauges() {
      return { isCovered: true, entries: space.table.bytes.size, bytes: space.table.bytes.bytes }
    },
    get heldBytes() {
      return space.table.bytes.bytes + (embedded.keeper?.heldBytes ?? 0)
    },
    open: () => embedded.keeper?.open() ?? Promise.resolve(),
    accept: (socket) => new EmbeddedClient(socket, parts),
    mount: () => values,
    alone: {
      stands: (key) => values.stands(key),
      noted: (notes) => {
        const isNoted = (key: string): boolean => notes.binds(textOf(key))
        space.unsaved = {
          get isEmpty() {
            return notes.size === 0
          },
          has: ({ database, key }) => database === 0 && isNoted(key),
        }
        embedded.server.onTouched = (key) => {
          if (notes.size > 0) notes.touched(textOf(key))
        }
        embedded.server.onCleared = () => notes.touchedAll()
      },
    },
    refused: () => {
      counts.refused += 1
    },
    overflowed: parts.onOverflow,
    close: async () => {
      await embedded.keeper?.close(snapshot?.deadline ?? 0)
      embedded.close()
    },
  }
}

/** Names of the log are text, keys are bytes: their UTF-8. */
function textOf(key: string): string {
  return Buffer.from(key, 'latin1').toString()
}
