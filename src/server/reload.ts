/**
 * What another configuration changes in a running process, and what has to wait for a restart.
 *
 * Floor 5, room server. Pure, but for the certificates that a check reads.
 */
import { crc32 } from 'node:zlib'
import { changedSections } from './config-change.ts'
import type { Config } from './config-schema.ts'
import { receiveSettings } from './settings.ts'
import { readCredentials } from './tls-credentials.ts'
import type { TlsSettings } from './tls-schema.ts'

/** What a reload did. */
export interface ReloadResult {
  /** Sections that differ and are in force now. */
  readonly applied: readonly string[]
  /** Sections that differ and wait for a restart. */
  readonly restart: readonly string[]
}

/** What a reload is about to do. */
export interface ReloadPlan extends ReloadResult {
  /** The configuration that will be in force: sections that wait for a restart are as before. */
  readonly next: Config
  /** What is stored was keyed, judged or asked for under rules that no longer hold. */
  readonly changesMeaning: boolean
  readonly changesOrigin: boolean
}

/** Sections that are fixed while the process runs. */
const FIXED: readonly string[] = [
  'listen',
  'api.listen',
  'api.insecure',
  'cacheApi',
  'memory',
  'l2',
  'audit',
  'refreshAhead',
  'warming',
  'adaptive',
  'contexts',
  'events',
  'limits',
  'metrics',
  'registry',
  'scaler',
  'snapshot',
  'lane',
  'h2c',
  'workers',
  'resp',
]

/** Sections that say what a stored answer means: where it came from, under which key it stands, for how long. */
const MEANING: readonly string[] = ['origin', 'profile', 'routes', 'compress']

/**
 * Version of the rules that keys and tags are made by, for others on the same log: processes with the same sections have the
 * same, on whichever machine. `events` say which tags a change names.
 */
export function rulesOf(config: Config): number {
  const { profile, routes, events } = config
  return crc32(JSON.stringify([profile, routes, events]))
}

/** Certificates may change while the process runs; whether there is TLS, and what is agreed on in its handshakes, may not. */
function isOtherTls(before: TlsSettings | undefined, after: TlsSettings | undefined): boolean {
  return before?.http2 !== after?.http2 || (before?.ca === undefined) !== (after?.ca === undefined)
}

/** @throws what would keep a worker from serving it: FC_OPTION_* for trusted proxies, FC_TLS_* for certificates */
export function checkServable(config: Config): void {
  if (config.origin !== undefined) receiveSettings(config, '')
  if (config.tls !== undefined) readCredentials(config.tls, 'tls')
  if (config.api.tls !== undefined) readCredentials(config.api.tls, 'api.tls')
}

export function planReload(current: Config, config: Config): ReloadPlan {
  const changed = changedSections(current, config)
  const fixed = new Set(FIXED)
  if (isOtherTls(current.tls, config.tls)) fixed.add('tls')
  if (isOtherTls(current.api.tls, config.api.tls)) fixed.add('api.tls')
  const restart = changed.filter((section) => fixed.has(section))
  const applied = changed.filter((section) => !fixed.has(section))
  const { keys, tls } = config.api
  const next = { ...config, api: { ...current.api, keys, tls: fixed.has('api.tls') ? current.api.tls : tls } }
  for (const section of restart) if (!section.includes('.')) Object.assign(next, { [section]: current[section as keyof Config] })
  return {
    applied,
    restart,
    next,
    changesMeaning: applied.some((section) => MEANING.includes(section)),
    changesOrigin: changed.includes('origin'),
  }
}
