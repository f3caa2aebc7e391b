/**
 * What coherence knows of one client: how far his knowledge reaches, and whether anything of his is under way.
 *
 * Floor 4, room resp. One per client connection of the front, one per wrapped client of the hook. Plain fields: they are
 * read for each chunk of requests. Only `Coherence` writes those that are not marked as the door's.
 */

/** See the module's header. */
export class Reader {
  /** Hits need the answer to this fence, a number of `Coherence.fence`; 0: none. */
  watermark = 0
  /** When, in the order of `Coherence`, he last learned something from the upstream. */
  learnedAt = 0
  /** Commands of his under way behind which nothing may be answered from memory: `Coherence.isOrdering`. */
  unknown = 0
  /** Whether he asked for a hit since he last learned something: only then a fence is sent for ahead of need. */
  isReading = false
  /** The door's: logged in as another user than the tracking connection's own. */
  isForeign = false
  /** The door's: off while his connection is in a state that is not modelled (MULTI, WATCH, MONITOR, CLIENT REPLY …). */
  isAside = false
  /** His user may not ask PTTL: nothing of what he reads can be kept. */
  isUntimed = false
}
