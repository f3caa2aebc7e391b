/**
 * `forecache/testing`: time, chance, network, stores and faults in your hand, for tests of your own policies.
 *
 * Floor 6, room entry. `explore` runs schedules by the thousand against a system of several nodes, judges what clients saw by
 * six promises, and shows the shortest schedule that breaks one. Nothing real is waited for: a seed is a test.
 */
export type { Clock, Timer } from '../model/clock.ts'
export { createRandom, type Random } from '../model/random.ts'
export { createVirtualClock, settle, VirtualClock } from '../model/virtual-clock.ts'
export { explore, type Exploration, type Failure, replay } from '../sim/explore.ts'
export type { History, Read, Trouble, Write } from '../sim/history.ts'
export { type Network, NoAnswer, type Question, type Weather } from '../sim/network.ts'
export type { SimNode } from '../sim/node.ts'
export type { Origin } from '../sim/origin.ts'
export type { Process } from '../sim/process.ts'
export { checkHistory, type Limits, type PromiseName, type Violation } from '../sim/promises.ts'
export type { Run } from '../sim/run.ts'
export { type FaultName, FAULTS, type Schedule, type Step } from '../sim/schedule.ts'
export type { Store, StoreClient } from '../sim/store.ts'
export type { StoreData, StreamRow } from '../sim/store-data.ts'
export type { Acknowledged, Answer, Instance, TrialOptions } from '../sim/trial-options.ts'
export { createWorld, type World, type WorldOptions } from '../sim/world.ts'
