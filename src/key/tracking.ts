/**
 * Query parameters that advertising and mail tools add and that no API reads.
 *
 * Floor 1, room key. Patterns are exact names, or a prefix with `*` at its end; a list of one's own replaces this one.
 */

/** Stripped by default where a route policy or the library makes the key. */
export const TRACKING_PARAMETERS: readonly string[] = [
  'utm_*',
  'fbclid',
  'gclid',
  'gclsrc',
  'gbraid',
  'wbraid',
  'dclid',
  'msclkid',
  'mc_cid',
  'mc_eid',
  '_ga',
  '_gl',
  '_hsenc',
  '_hsmi',
  'hsctatracking',
  'yclid',
  'ysclid',
  'igshid',
  'igsh',
  'ttclid',
  'twclid',
  'li_fat_id',
  'epik',
  'rdt_cid',
  'vero_id',
  'vero_conv',
  'wickedid',
  'oly_enc_id',
  'oly_anon_id',
  '_openstat',
  's_cid',
  'mkt_tok',
  'srsltid',
  'pk_campaign',
  'pk_kwd',
  'pk_source',
  'pk_medium',
  'mtm_*',
  'matomo_*',
  'piwik_*',
  '_branch_match_id',
  '_bta_tid',
  '_bta_c',
]

/** Tells whether a name is on a list of names and `prefix*` patterns. */
export type NameMatch = (name: string) => boolean

/** @param patterns exact names, or prefixes ending in `*` */
export function createNameMatch(patterns: readonly string[]): NameMatch {
  const exact = new Set(patterns.filter((pattern) => !pattern.endsWith('*')))
  const prefixes = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1))
  if (prefixes.length === 0) return (name) => exact.has(name)
  return (name) => exact.has(name) || prefixes.some((prefix) => name.startsWith(prefix))
}
