/**
 * Names of what the instances share in the store.
 *
 * Floor 4, room ops. All of them stand in one slot of a cluster: the hash by its whole name, the others by the same name as
 * their tag.
 */

/** Names under one prefix. */
export interface RegistryKeys {
  /** Hash: what does not change of an instance, by its id. */
  readonly instances: string
  /** `id term` of the leader; ends with its lease. */
  readonly leader: string
  /** Counts terms. */
  readonly term: string
  /** Hash: what the scaler did last. */
  readonly scaling: string
  /** List: what the scalers did, latest first; bounded. */
  readonly scalingLog: string
  /** What changes of an instance; ends with its heartbeat. */
  beat(id: string): string
  /** Keys that an instance reads most. */
  hot(id: string): string
}

/** @param prefix without braces, such as `forecache:` */
export function registryKeys(prefix: string): RegistryKeys {
  const instances = `${prefix}instances`
  const tag = `{${instances}}`
  return {
    instances,
    leader: `${tag}:leader`,
    term: `${tag}:term`,
    scaling: `${tag}:scaling`,
    scalingLog: `${tag}:scaling:log`,
    beat: (id) => `${tag}:beat:${id}`,
    hot: (id) => `${tag}:hot:${id}`,
  }
}
