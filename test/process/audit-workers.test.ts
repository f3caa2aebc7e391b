/** The audit with several processes: one answer for all of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { AuditView } from '../../src/ops/audit-endpoint.ts'
import { through, WorkersStand } from '../support/workers-stand.ts'

describe('workers: the audit', () => {
  it('counts what all of them looked at, and says how they are set', async () => {
    const place = mkdtempSync(join(tmpdir(), 'forecache-audit-'))
    onTestFinished(() => rmSync(place, { recursive: true, force: true }))
    const file = join(place, 'forecache.yaml')
    writeFileSync(file, 'audit: { share: 1, perSecond: 1000 }\n')
    const stand = await new WorkersStand().start(2, [file])
    const pins = await stand.pins(2, 1)
    for (const pin of pins) for (let at = 0; at < 3; at += 1) await through(pin, 'GET /k')

    let view = (await stand.api('/v1/audit')) as AuditView
    const looked = (): number => view.checks.current + view.checks.outdated + view.checks.inconclusive
    for (let attempt = 0; attempt < 100 && looked() < 4; attempt += 1) view = (await stand.api('/v1/audit')) as AuditView
    expect(looked()).toBeGreaterThanOrEqual(4)
    expect(view).toMatchObject({ settings: { share: 1, perSecond: 1000 }, violations: 0, last: [] })
  })
})
