/**
 * `forecache/testing`: time and chance in your hand, for tests of your own policies.
 *
 * Floor 6, room entry.
 */
export type { Clock, Timer } from '../model/clock.ts'
export { createRandom, type Random } from '../model/random.ts'
export { createVirtualClock, settle, VirtualClock } from '../model/virtual-clock.ts'
