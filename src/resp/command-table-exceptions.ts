/**
 * What the server's own account of its commands does not say, found by measurement (Redis 7.0) or reading.
 *
 * Floor 4, room resp. Lists of names in lower case, a subcommand behind its command as `client|reply`.
 */
import { countedSpec, type KeySpec, keywordSpec, rangeSpec } from './command-table-keys.ts'

const names = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/))

/** Reads whose reply changes though no key does: with time, by chance, or by what no push tells of. */
export const NEVER_KEPT = names(`
  xinfo|stream xinfo|groups xinfo|consumers xinfo|help xpending memory|usage dump object|encoding object|freq object|idletime
  object|refcount sort sort_ro eval_ro evalsha_ro fcall_ro ttl pttl httl hpttl touch scan sscan hscan zscan srandmember zrandmember
  hrandfield randomkey dbsize keys xread digest
`)

/** Reads over several keys at fixed places that are kept; all others with several keys are not. */
export const KEPT_OF_SEVERAL = names('mget exists pfcount lcs sinter sunion sdiff')

/** Commands of modules that are kept: their modules tell of every change as Redis does. Other modules' are not. */
export const KEPT_OF_MODULES = names(`
  json.get json.type json.strlen json.arrlen json.arrindex json.objlen json.objkeys json.resp
`)

/** They change what the connection is, or what its replies look like: the door has to know them by name. */
export const STATE = names(`
  select multi exec discard watch unwatch auth hello reset quit subscribe unsubscribe psubscribe punsubscribe ssubscribe
  sunsubscribe monitor client|reply client|tracking client|caching client|setname readonly readwrite asking sync psync replconf
  client|no-touch
`)

/** They may change any key, or who may see it. */
export const EVERYTHING = names(`
  flushall flushdb swapdb debug replicaof slaveof failover shutdown restore-asking
  module|load module|loadex module|unload acl|setuser acl|deluser acl|load
  cluster|addslots cluster|addslotsrange cluster|delslots cluster|delslotsrange cluster|failover cluster|flushslots
  cluster|forget cluster|meet cluster|replicate cluster|reset cluster|setslot cluster|set-config-epoch cluster|bumpepoch
  config|set
`)

/** Their keys are named, but what they do may reach others. */
export const UNKNOWN = names('eval evalsha fcall eval_ro evalsha_ro fcall_ro exec migrate')

/** What they write is a counter or a lock: it is never answered from memory. SET is one with NX, XX or GET. */
export const LIVE = names(`
  incr incrby incrbyfloat decr decrby hincrby hincrbyfloat setnx msetnx getset getdel bitfield eval evalsha fcall
`)

/** Writes whose reply says nothing that the writer did not know. SET is one without NX, XX and GET. */
export const SILENT_WRITES = names('setex psetex mset hmset')

/** Keys of commands for servers that do not tell them, or not all. */
export const KEYS: Readonly<Record<string, readonly KeySpec[]>> = {
  eval: [countedSpec(2, true)],
  evalsha: [countedSpec(2, true)],
  fcall: [countedSpec(2, true)],
  eval_ro: [countedSpec(2, false)],
  evalsha_ro: [countedSpec(2, false)],
  fcall_ro: [countedSpec(2, false)],
  zunionstore: [rangeSpec({ first: 1, last: 1, step: 1 }, true), countedSpec(2, false)],
  zinterstore: [rangeSpec({ first: 1, last: 1, step: 1 }, true), countedSpec(2, false)],
  zdiffstore: [rangeSpec({ first: 1, last: 1, step: 1 }, true), countedSpec(2, false)],
  zunion: [countedSpec(1, false)],
  zinter: [countedSpec(1, false)],
  zdiff: [countedSpec(1, false)],
  zintercard: [countedSpec(1, false)],
  sintercard: [countedSpec(1, false)],
  lmpop: [countedSpec(1, true)],
  zmpop: [countedSpec(1, true)],
  blmpop: [countedSpec(2, true)],
  bzmpop: [countedSpec(2, true)],
  xread: [keywordSpec('streams', { from: 1, limit: 2 }, false)],
  xreadgroup: [keywordSpec('streams', { from: 4, limit: 2 }, true)],
  sort: [rangeSpec({ first: 1, last: 1, step: 1 }, false), keywordSpec('store', { from: 2 }, true)],
  georadius: [
    rangeSpec({ first: 1, last: 1, step: 1 }, false),
    keywordSpec('store', { from: 6 }, true),
    keywordSpec('storedist', { from: 6 }, true),
  ],
  georadiusbymember: [
    rangeSpec({ first: 1, last: 1, step: 1 }, false),
    keywordSpec('store', { from: 5 }, true),
    keywordSpec('storedist', { from: 5 }, true),
  ],
  migrate: [rangeSpec({ first: 3, last: 3, step: 1 }, true), keywordSpec('keys', { from: 6, limit: 1 }, true)],
}
