/**
 * Links in a header: what an answer says belongs to it (RFC 8288 section 3).
 *
 * Floor 1, room rules. Pure, linear in the length of the value, never throws: what cannot be read ends the list.
 */

/** One link. */
export interface LinkValue {
  /** As written: absolute, or relative to the answer's URL. */
  readonly target: string
  /** Relation types, lower-cased. */
  readonly rels: readonly string[]
}

const MAX_CHARS = 16 * 1024
const LINK =
  /[\s,]*<([^<>\s]*)>((?:[ \t]*;[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:[ \t]*=[ \t]*(?:"(?:[^"\\]|\\.)*"|[^\s",;<>]+))?)*)[ \t]*(?=,|$)/y
const PARAMETER = /;[ \t]*([^ \t=;"]+)(?:[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s",;<>]+)))?/g

/** @param value of one line, or of all combined */
export function parseLinks(value: string): readonly LinkValue[] {
  const links: LinkValue[] = []
  if (value.length > MAX_CHARS) return links
  LINK.lastIndex = 0
  for (let match = LINK.exec(value); match !== null; match = LINK.exec(value)) {
    links.push({ target: match[1] as string, rels: relsOf(match[2] as string) })
  }
  return links
}

/** The first `rel` counts (RFC 8288 section 3.3). */
function relsOf(parameters: string): readonly string[] {
  for (const [, name = '', quoted, plain = ''] of parameters.matchAll(PARAMETER))
    if (name.toLowerCase() === 'rel')
      return (quoted ?? plain)
        .toLowerCase()
        .split(/[ \t]+/)
        .filter((one) => one !== '')
  return []
}
