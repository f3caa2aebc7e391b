/**
 * Tags with parameters: `product:{id}`.
 *
 * Floor 1, room key. Parsed once; a name that the route's pattern does not have is refused. White space in a parameter
 * is escaped as `%20`, since tags hold none.
 */
import { ForecacheError } from '../model/errors.ts'

/** Fills a template with a match's parameters. */
export type Template = (params: Readonly<Record<string, string>>) => string

/**
 * @param text such as `product:{id}`
 * @param known names that may stand in braces; `*` for a wildcard
 * @param where the option's path, named in errors
 * @throws FC_OPTION_VALUE
 */
export function parseTemplate(text: string, known: readonly string[], where = 'tags'): Template {
  const parts = text.split(/\{([^{}]*)\}/)
  parts.forEach((part, i) => {
    const isName = i % 2 === 1
    if (isName && !known.includes(part))
      throw new ForecacheError('FC_OPTION_VALUE', {
        name: where,
        reason: `{${part}} is not in the path; known: ${known.join(', ') || 'none'}`,
      })
    if (!isName && /[{}\s]/.test(part))
      throw new ForecacheError('FC_OPTION_VALUE', {
        name: where,
        reason: `${text}: expected text without white space and {names}`,
      })
  })
  if (parts.length === 1) return () => text
  return (params) => {
    let filled = ''
    for (let i = 0; i < parts.length; i += 1) {
      const part = parts[i] as string
      filled += i % 2 === 0 ? part : (params[part] ?? '').replace(/\s/g, encodeURIComponent)
    }
    return filled
  }
}
