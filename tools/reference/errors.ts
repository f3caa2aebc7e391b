/** Prints docs/reference/errors.md from src/model/errors.ts. */
import { ERROR_CATALOGUE } from '../../src/model/errors.ts'
import { code, page, table } from './table.ts'

/** @returns the page */
export function printErrors(): string {
  const rows = Object.entries(ERROR_CATALOGUE).map(([name, { status, text }]) => [code(name), String(status), code(text)])
  return page('Errors', [
    'Every error thrown on purpose is a `ForecacheError` with a stable `code`. Branch on `code`; texts may change in any release. ' +
      '`status` is what the HTTP doors answer with when nothing stale may be served; `detail` holds the values named in braces.',
    table(['code', 'status', 'text'], rows),
  ])
}
