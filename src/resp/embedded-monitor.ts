/**
 * MONITOR: every command as a line, to whoever asked.
 *
 * Floor 4, room resp.
 */
import type { Call } from './embedded-call.ts'

const PLAIN: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\x07': '\\a',
  '\b': '\\b',
  '"': '\\"',
  '\\': '\\\\',
}

/** A text in quotes, its unprintable bytes escaped (sdscatrepr). */
export function quote(text: string): string {
  let out = '"'
  for (const char of text) {
    const code = char.charCodeAt(0)
    out += PLAIN[char] ?? (code >= 32 && code < 127 ? char : `\\x${code.toString(16).padStart(2, '0')}`)
  }
  return `${out}"`
}

/** Tells monitors of a command that is about to run. */
export function feedMonitors({ server, session, command, args, now, db }: Call): void {
  if (command.flags.has('skip_monitor') || command.flags.has('admin')) return
  const seconds = Math.floor(now / 1000)
  const micros = String(Math.floor((now % 1000) * 1000)).padStart(6, '0')
  const line = `+${seconds}.${micros} [${db.number} ${session.peer.address}] ${args.map(quote).join(' ')}\r\n`
  const bytes = Buffer.from(line, 'latin1')
  for (const monitor of server.monitors) server.runner?.deliver(monitor, bytes)
}
