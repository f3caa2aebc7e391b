/**
 * The first line of a script: `#!lua flags=no-writes,allow-stale`.
 *
 * Floor 4, room resp.
 */
import { refuse } from './embedded-errors.ts'

export interface ScriptFlags {
  /** There was such a line: what it does not allow is refused. */
  readonly isDeclared: boolean
  readonly noWrites: boolean
  readonly allowsOom: boolean
}

const KNOWN = new Set(['no-writes', 'allow-oom', 'allow-stale', 'no-cluster', 'allow-cross-slot-keys'])

/** @returns the flags and the length of the line @throws where it cannot be read */
export function readFlags(source: string): { readonly flags: ScriptFlags; readonly bytes: number } {
  if (!source.startsWith('#!')) return { flags: { isDeclared: false, noWrites: false, allowsOom: false }, bytes: 0 }
  const end = source.indexOf('\n')
  if (end < 0) throw refuse('Invalid script shebang')
  const [engine, ...options] = source
    .slice(0, end)
    .split(/\s+/)
    .filter((part) => part !== '')
  if (engine !== '#!lua') throw refuse(`Unexpected engine in script shebang: ${engine}`)
  const found = new Set<string>()
  for (const option of options) {
    if (!option.startsWith('flags=')) throw refuse(`Unknown lua shebang option: ${option}`)
    for (const flag of option.slice(6).split(',')) {
      if (flag !== '' && !KNOWN.has(flag)) throw refuse(`Unexpected flag in script shebang: ${flag}`)
      found.add(flag)
    }
  }
  const noWrites = found.has('no-writes')
  return { flags: { isDeclared: true, noWrites, allowsOom: noWrites || found.has('allow-oom') }, bytes: end }
}
