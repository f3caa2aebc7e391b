/**
 * The version of this package, as its manifest has it.
 *
 * Floor 5, room server.
 */
import { readFileSync } from 'node:fs'

/** Read anew at each call: once at start. */
export function readVersion(): string {
  const file: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return typeof file === 'object' && file !== null && 'version' in file ? String(file.version) : 'unknown'
}
