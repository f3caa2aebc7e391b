/** Tables of Markdown, for the pages that are printed. */

const PRINTED = '<!-- Printed by tools/print-reference.ts; change the code, then run: npm run reference -->'

/** A page: title, note that it is printed, and its paragraphs and tables. */
export function page(title: string, parts: readonly string[]): string {
  return [PRINTED, `# ${title}`, ...parts].join('\n\n')
}

/** @param rows cells as Markdown; pipes and line breaks are escaped here */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Text as code, whatever it holds. */
export function code(text: string): string {
  return text === '' ? '' : text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ')
}
