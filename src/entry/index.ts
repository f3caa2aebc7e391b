/**
 * `forecache`: the library.
 *
 * Floor 6, room entry. Names only; everything behind them stands on lower floors.
 */
export type { Batch, LoadMany } from '../flow/batch.ts'
export { Cache, createCache, type Reading, type SetOptions } from '../flow/cache.ts'
export type { CallOptions } from '../flow/call.ts'
export type { Result } from '../flow/fetch.ts'
export type { ChangeEvent, InvalidateInput, InvalidateResult } from '../flow/invalidate.ts'
export type { Load, LoadContext, Previous } from '../flow/loader.ts'
export type { CacheOptions } from '../flow/options.ts'
export type { Stats } from '../flow/stats.ts'
export { type DigestInput, digestKey } from '../key/digest.ts'
export { type KeyParts, normalizeKey } from '../key/normalize.ts'
export type { Budget, BudgetInput } from '../model/budget.ts'
export type { Clock, Timer } from '../model/clock.ts'
export { type ErrorCode, ForecacheError } from '../model/errors.ts'
export type { EventName, Events } from '../model/event.ts'
export type { Logger } from '../model/port.ts'
export type { Duration, Size } from '../model/units.ts'
