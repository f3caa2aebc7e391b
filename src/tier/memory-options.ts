/**
 * Options of the in-memory tier, checked once.
 *
 * Floor 2, room tier.
 */
import type { Clock } from '../model/clock.ts'
import { ForecacheError } from '../model/errors.ts'
import type { RemoveReason } from '../model/port.ts'
import { parseDuration, parseSize, type Duration, type Size } from '../model/units.ts'
import { isPolicyName, POLICY_NAMES, type PolicyName } from '../shelf/policies.ts'
import type { Fence } from './fence.ts'

/** Called when an entry leaves memory, before its memory is given back; must not call the tier. */
export type OnRemove = (key: string, reason: RemoveReason, bytes: number) => void

/** What `createMemory` takes. */
export interface MemoryOptions {
  readonly clock: Clock
  readonly fence: Fence
  /** Charged bytes that are never exceeded: values, keys, tags, bookkeeping. At least 64 KiB. */
  readonly maxBytes: Size
  /** Entries that are never exceeded; default: bytes alone decide. */
  readonly maxEntries?: number
  /** Eviction policy; default `s3-fifo`. */
  readonly policy?: PolicyName
  /** A larger entry is refused; default and upper limit: an eighth and the whole of `maxBytes`, below 2 GiB. */
  readonly maxEntryBytes?: Size
  /** How long `sweep` leaves an entry that is past every window, for validation; default 0. */
  readonly retainMs?: Duration
  readonly onRemove?: OnRemove
  /** As `onRemove`, told the value: for what is held beside it. */
  readonly onLeave?: (value: unknown) => void
}

/** MemoryOptions, resolved. */
export interface MemorySettings {
  readonly clock: Clock
  readonly fence: Fence
  readonly maxBytes: number
  readonly maxEntries: number
  readonly policy: PolicyName
  readonly maxEntryBytes: number
  readonly retainMs: number
  readonly onRemove: OnRemove | undefined
  readonly onLeave: ((value: unknown) => void) | undefined
}

const NAMES = ['clock', 'fence', 'maxBytes', 'maxEntries', 'policy', 'maxEntryBytes', 'retainMs', 'onRemove', 'onLeave']
const MIN_BYTES = 65_536
const MAX_ENTRY_BYTES = 2 ** 31 - 1
const MAX_ENTRIES = 2 ** 26

/** @throws FC_OPTION_UNKNOWN, FC_OPTION_RANGE, FC_OPTION_SIZE, FC_OPTION_DURATION, FC_OPTION_VALUE */
export function parseMemoryOptions(given: MemoryOptions): MemorySettings {
  for (const name of Object.keys(given)) {
    if (!NAMES.includes(name)) throw new ForecacheError('FC_OPTION_UNKNOWN', { name: `memory.${name}`, known: NAMES.join(', ') })
  }
  const maxBytes = parseSize(given.maxBytes, 'memory.maxBytes')
  inRange('memory.maxBytes', maxBytes, [MIN_BYTES, Number.MAX_SAFE_INTEGER])
  const most = Math.min(maxBytes, MAX_ENTRY_BYTES)
  const maxEntryBytes =
    given.maxEntryBytes === undefined
      ? Math.min(Math.floor(maxBytes / 8), most)
      : parseSize(given.maxEntryBytes, 'memory.maxEntryBytes')
  inRange('memory.maxEntryBytes', maxEntryBytes, [1, most])
  const maxEntries = given.maxEntries ?? MAX_ENTRIES
  inRange('memory.maxEntries', maxEntries, [1, MAX_ENTRIES])
  const policy = given.policy ?? 's3-fifo'
  if (!isPolicyName(policy)) {
    throw new ForecacheError('FC_OPTION_VALUE', { name: 'memory.policy', reason: `known: ${POLICY_NAMES.join(', ')}` })
  }
  const retainMs = parseDuration(given.retainMs ?? 0, 'memory.retainMs')
  return {
    clock: given.clock,
    fence: given.fence,
    maxBytes,
    maxEntries,
    policy,
    maxEntryBytes,
    retainMs,
    onRemove: given.onRemove,
    onLeave: given.onLeave,
  }
}

function inRange(name: string, given: number, [min, max]: readonly [number, number]): void {
  if (Number.isInteger(given) && given >= min && given <= max) return
  throw new ForecacheError('FC_OPTION_RANGE', { name, given, min, max })
}
