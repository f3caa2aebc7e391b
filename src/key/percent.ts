/**
 * Percent-encodings in their one canonical spelling.
 *
 * Floor 1, room key. Unreserved `%XX` is decoded, hex digits are upper-cased, everything else stays as it came: two
 * texts that come out equal name the same resource (RFC 3986 section 6.2.2). Text without `%` costs one scan.
 */

const PERCENT = 0x25
/** By char code: 1 where a character is unreserved (RFC 3986 section 2.3). */
const UNRESERVED = new Uint8Array(128)
for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~') UNRESERVED[char.charCodeAt(0)] = 1

/**
 * The canonical spelling of a query.
 *
 * @returns the same string when nothing is to be done
 */
export function canonicalPercent(text: string): string {
  return text.indexOf('%') < 0 ? text : rewrite(text, false)
}

/** The canonical spelling of a path. `%2E` stays: servers disagree on whether it makes a dot segment. */
export function canonicalPath(path: string): string {
  return path.indexOf('%') < 0 ? path : rewrite(path, true)
}

/**
 * What an origin that reads `application/x-www-form-urlencoded` makes of a name or value.
 *
 * @returns undefined when the bytes are no UTF-8 or an escape is broken: origins disagree on those
 */
export function decodeForm(text: string): string | undefined {
  const spaced = text.indexOf('+') < 0 ? text : text.replaceAll('+', ' ')
  if (spaced.indexOf('%') < 0) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    return undefined
  }
}

/** A value that may stand in a key: blank, `%`, line ends and other control characters are escaped; injective. */
export function escapeValue(value: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return /[\u0000-\u0020%\u007f]/.test(value) ? value.replace(/[\u0000-\u0020%\u007f]/g, escapeChar) : value
}

/** `%XX` of one ASCII character. */
export function escapeChar(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}

function rewrite(text: string, isPath: boolean): string {
  let out = ''
  let from = 0
  for (let i = text.indexOf('%'); i >= 0; i = text.indexOf('%', i + 1)) {
    const code = hexPair(text, i + 1)
    if (code < 0) continue
    const plain = code < 128 && UNRESERVED[code] === 1 && code !== PERCENT && !(isPath && code === 0x2e)
    out += text.slice(from, i)
    out += plain ? String.fromCharCode(code) : text.slice(i, i + 3).toUpperCase()
    from = i + 3
    i += 2
  }
  return out + text.slice(from)
}

/** Value of two hex digits; -1 when they are none. */
function hexPair(text: string, at: number): number {
  const high = hexDigit(text.charCodeAt(at))
  const low = hexDigit(text.charCodeAt(at + 1))
  return high < 0 || low < 0 ? -1 : high * 16 + low
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const lower = code | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}
