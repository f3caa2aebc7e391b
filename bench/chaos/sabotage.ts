/**
 * Copies of the source in which one rule of the protocol is taken out: what the suite must notice, or it notices nothing.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Scenario } from './scenario.ts'
import { scenarioOf } from './scenarios.ts'

/** One rule that is taken out. */
export interface Sabotage {
  readonly name: string
  readonly text: string
  readonly edits: readonly { readonly file: string; readonly from: string; readonly to: string }[]
  /** In which it must be noticed. */
  readonly scenario: Scenario
}

const strictCalm: Scenario = { ...scenarioOf('calm-library'), name: 'calm-strict', build: { door: 'library', blind: 'miss' } }

/** Nobody bears a token, for a token has everything read that was missed. */
const deafness: Scenario = {
  name: 'bus-held-throughout',
  text: 'The bus of an instance is silent for long.',
  build: { blind: 'miss', tokenShare: 0 },
  async run(arena) {
    const heal = arena.hold(arena.one(), { lane: 'bus', isHarmless: true })
    await arena.wait(6 * arena.blindAfterMs)
    heal()
  },
}

/** See the module's header. */
export const SABOTAGES: readonly Sabotage[] = [
  {
    name: 'no-write-fence',
    text: 'What was read before an invalidation is stored behind it.',
    edits: [
      { file: 'src/flow/keep.ts', from: "(fence.admits(reading) ? undefined : 'fenced')", to: 'undefined' },
      { file: 'src/flow/keep.ts', from: '    asOf: fill.asOf,\n    namespace', to: '    asOf: fence.horizon,\n    namespace' },
    ],
    scenario: strictCalm,
  },
  {
    name: 'no-fence-of-others',
    text: 'What others have invalidated is acknowledged, and not applied.',
    edits: [
      {
        file: 'src/flow/shared-log.ts',
        from: 'if (targets.length > 0) fence.append(targets, record.soft && isSame, record.source)',
        to: '',
      },
    ],
    scenario: strictCalm,
  },
  {
    name: 'no-replay',
    text: 'What was missed is never read again: a bus that is silent counts as one that has nothing to say.',
    edits: [
      {
        file: 'src/tier/stream-link.ts',
        from: "if (this.#follower.proven(proof, asked) === 'behind') await this.#readUpTo(proof.last, blindAfterMs)",
        to: 'this.#follower.proven(proof, asked)',
      },
      {
        file: 'src/tier/horizon.ts',
        from: 'if (this.#awaited === undefined || this.#awaited.last > this.#position) return',
        to: 'if (this.#awaited === undefined) return',
      },
    ],
    scenario: deafness,
  },
  {
    name: 'no-blindness',
    text: 'Silence is trusted for ever.',
    edits: [
      {
        file: 'src/flow/shared-log.ts',
        from: 'doubt(): void {\n    if (this.#isBlind) return',
        to: 'doubt(): void {\n    return',
      },
      {
        file: 'src/flow/shared-log.ts',
        from: 'blind(untilMs: number = Number.POSITIVE_INFINITY, isNew = false): void {',
        to: 'blind(untilMs: number = Number.POSITIVE_INFINITY, isNew = false): void {\n    return',
      },
      {
        file: 'src/flow/shared-log.ts',
        from: 'prove(untilMs: number): void {\n    this.seesUntil = untilMs',
        to: 'prove(untilMs: number): void {\n    this.seesUntil = Number.POSITIVE_INFINITY',
      },
    ],
    scenario: scenarioOf('partition-one-miss'),
  },
  {
    name: 'lease-without-token',
    text: 'Whoever ends a lease ends whatever lease there is.',
    edits: [
      {
        file: 'src/tier/redis-lease-scripts.ts',
        from: "if token ~= ARGV[3] then return 0 end\nredis.call('SET'",
        to: "if not token or token == '-' then return 0 end\nredis.call('SET'",
      },
    ],
    scenario: scenarioOf('lease-holder-stops-gateway'),
  },
]

/** @returns the copy's folder, and what removes it @throws where a rule is not to be found any more */
export function spoilt(root: string, { edits }: Sabotage): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'forecache-spoilt-'))
  for (const name of ['src', 'bin', 'package.json']) cpSync(join(root, name), join(folder, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const { file, from, to } of edits) {
    const text = readFileSync(join(folder, file), 'utf8')
    if (text.split(from).length !== 2) throw new Error(`${file} does not hold exactly once: ${from}`)
    writeFileSync(join(folder, file), text.replace(from, to))
  }
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
