/**
 * One response in several codings: bodies that were made of one another, and the representations they give.
 *
 * Floor 4, room http. Every representation is a whole `Stored` with fields and tag of its own. Immutable but for the memo of
 * choices: at most `MAX_CHOICES` texts of Accept-Encoding of at most `MAX_TEXT` characters, charged with the entry.
 */
import { chooseCoding } from '../key/encoding.ts'
import { matchesStrongly } from '../rules/entity-tag.ts'
import { variantFields } from '../rules/variant-fields.ts'
import type { KnownCoding } from '../wire/coding.ts'
import { type Alternatives, type Plan, Stored } from './stored.ts'

/** A body that was made. */
export interface Coded {
  readonly coding: KnownCoding
  readonly body: Uint8Array
  /** Made of the bytes: see rules/variant-tag. */
  readonly mark: string
}

/** A body as it came, and what was made of it: shared by all entries that have the same. */
export interface BodySet {
  readonly body: Uint8Array
  readonly coded: readonly Coded[]
}

const MAX_CHOICES = 8
const MAX_TEXT = 128
const MEMO_BYTES = 1024

/** See the module's header. */
export class Variants implements Alternatives {
  readonly #coding: KnownCoding
  readonly coded: readonly Coded[]
  readonly made: readonly Stored[]
  readonly #choices = new Map<string, Stored | undefined>()

  /** @param plan of the response as it came @param coding it came in */
  constructor(plan: Plan, coding: KnownCoding, coded: readonly Coded[]) {
    this.#coding = coding
    this.coded = coded
    this.made = coded.map((one) => {
      const fields = variantFields(plan.fields, { coding: one.coding, mark: one.mark, bytes: one.body.byteLength })
      return new Stored({ ...plan, fields }, { body: one.body })
    })
  }

  get bodyBytes(): number {
    return this.coded.reduce((sum, { body }) => sum + body.byteLength, 0)
  }

  get bytes(): number {
    return this.made.reduce((sum, stored) => sum + stored.bytes, MEMO_BYTES)
  }

  choose(base: Stored, accept: string | undefined): Stored | undefined {
    const text = accept ?? ''
    const known = this.#choices.get(text)
    return known !== undefined || this.#choices.has(text) ? known : this.#judge(base, text)
  }

  named(base: Stored, tag: string): Stored | undefined {
    return [base, ...this.made].find(({ plan }) => matchesStrongly(plan.fields.first('etag') ?? '', tag))
  }

  plain(base: Stored): Stored | undefined {
    return this.#of(base, 'identity')
  }

  renewed(plan: Plan): Alternatives {
    return new Variants(plan, this.#coding, this.coded)
  }

  /** Bytes by coding, the one it came in first; for people. */
  list(base: Stored): { readonly coding: string; readonly bytes: number }[] {
    const all = [{ coding: this.#coding, body: base.body }, ...this.coded]
    return all.map(({ coding, body }) => ({ coding, bytes: body.byteLength }))
  }

  #judge(base: Stored, accept: string): Stored | undefined {
    const all = [...this.coded, { coding: this.#coding, body: base.body }]
    const bySize = all.sort((a, b) => a.body.byteLength - b.body.byteLength || rank(a.coding) - rank(b.coding))
    const coding = chooseCoding(
      accept,
      bySize.map((one) => one.coding),
    )
    const chosen = coding === undefined ? undefined : this.#of(base, coding)
    if (accept.length > MAX_TEXT) return chosen
    if (this.#choices.size >= MAX_CHOICES) this.#choices.clear()
    // A text of its own: one that was cut out of a request's head would keep the whole head.
    this.#choices.set(Buffer.from(accept, 'latin1').toString('latin1'), chosen)
    return chosen
  }

  #of(base: Stored, coding: KnownCoding): Stored | undefined {
    if (coding === this.#coding) return base
    const at = this.coded.findIndex((one) => one.coding === coding)
    return this.made[at]
  }
}

function rank(coding: KnownCoding): number {
  return coding === 'identity' ? 1 : 0
}

/** The response with what was made of it; it may stand for clients of every coding then. */
export function withVariants(stored: Stored, set: BodySet, shareId: string | undefined): Stored {
  const { recoding } = stored.plan
  if (recoding === undefined || set.coded.length === 0) return new Stored(stored.plan, { body: set.body, shareId })
  const forAll = recoding.coding === 'identity' || set.coded.some(({ coding }) => coding === 'identity')
  const plan = forAll ? widened(stored.plan) : stored.plan
  return new Stored(plan, { body: set.body, shareId, variants: new Variants(plan, recoding.coding, set.coded) })
}

/** The plan of a response that can be given to clients of every coding, where it is certain that it is theirs. */
export function widened(plan: Plan): Plan {
  const { recoding, vary } = plan
  if (recoding === undefined || !recoding.varied || !recoding.certain || recoding.wide) return plan
  const kept = (_: unknown, i: number): boolean => vary[i] !== 'accept-encoding'
  return {
    ...plan,
    vary: vary.filter(kept),
    selecting: plan.selecting.filter(kept),
    recoding: { ...recoding, wide: true },
  }
}
