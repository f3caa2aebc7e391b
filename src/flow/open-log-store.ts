/**
 * Where the log of many instances stands: in the second level's server, or in a NATS beside it.
 *
 * Floor 3, room flow. What a NATS is spoken to with is read and proven here, at creation.
 */
import { ForecacheError } from '../model/errors.ts'
import { JetStreamLog } from '../tier/jetstream-log.ts'
import type { LogStore } from '../tier/log-store.ts'
import { type NatsTarget, parseNatsUrl } from '../tier/nats-address.ts'
import { createNats } from '../tier/nats-client.ts'
import { type NatsCredentials, readNatsCredentials } from '../tier/nats-credentials.ts'
import { RedisLog } from '../tier/redis-log.ts'
import type { RedisPort } from '../tier/redis-port.ts'
import { readTlsMaterial } from '../tier/tls-material.ts'
import type { Engine } from './engine.ts'
import type { L2Settings } from './l2-options.ts'

/** What is read of the options. */
interface LogSettings extends Pick<L2Settings, 'prefix' | 'bus'> {
  /** Who was not heard for so long is no member any more, ms. */
  readonly memberTtlMs: number
}

/** @throws FC_TLS_*, FC_LINK_CREDENTIALS, FC_OPTION_VALUE */
export function openLogStore({ clock, settings }: Engine, redis: RedisPort, { prefix, bus, memberTtlMs }: LogSettings): LogStore {
  const { url, maxRecords } = bus
  const parts = { prefix, memberTtlMs, maxRecords }
  if (url === undefined) {
    if (bus.credentials !== undefined) throw refuse('it is for a log in NATS: name that in l2.bus.url')
    return new RedisLog({ ...parts, redis })
  }
  const target = parseNatsUrl(url)
  const tls = readTlsMaterial(bus.tls ?? {}, 'l2.bus.tls')
  const credentials = readerOf(bus.credentials, target)
  return new JetStreamLog({ ...parts, clock, nats: createNats({ target, tls, credentials, clock, random: settings.random }) })
}

/** Reads once, so that what is no use is told now. */
function readerOf(given: string | undefined, { username, token }: NatsTarget): (() => NatsCredentials) | undefined {
  if (given === undefined) return undefined
  if (username !== undefined || token !== undefined)
    throw refuse('it stands instead of a user or token in l2.bus.url: name one of them')
  readNatsCredentials(given)
  return () => readNatsCredentials(given)
}

function refuse(reason: string): ForecacheError {
  return new ForecacheError('FC_OPTION_VALUE', { name: 'l2.bus.credentials', reason })
}
