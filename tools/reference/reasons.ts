/** Prints docs/reference/reasons.md from src/model/reason.ts. */
import { BYPASSES, REFUSALS, STANDINGS } from '../../src/model/reason.ts'
import { code, page, table } from './table.ts'

/** @returns the page */
export function printReasons(): string {
  return page('Reasons', [
    'What `forecache explain`, `GET /v1/explain` and the event `keep:refuse` answer as `reason`. Codes are stable: rows may be added, none is renamed.',
    '## What stands under a key',
    reasons(STANDINGS),
    '## Why an answer was not kept',
    reasons(REFUSALS),
    '## Why a request does not look into the cache',
    reasons(BYPASSES),
  ])
}

function reasons(rows: Readonly<Record<string, string>>): string {
  return table(
    ['reason', 'meaning'],
    Object.entries(rows).map(([name, text]) => [code(name), text]),
  )
}
