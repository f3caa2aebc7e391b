/**
 * The form of a content that a reader takes, by its Accept-Encoding.
 *
 * Floor 3, room flow. Clients send few different texts: what each of them takes of each set of codings is remembered, so
 * that a read costs one look-up. Bounded; texts that are longer than any usual one are parsed each time.
 */
import { chooseCoding } from '../key/encoding.ts'
import type { Content, Form } from './content.ts'

const MAX_REMEMBERED = 512
const MAX_TEXT_CHARS = 256

/** See the module's header. */
export class Choices {
  readonly #known = new Map<string, string | undefined>()

  /** @param accept lines combined; undefined when absent @returns undefined when every form is refused (`identity;q=0`) */
  choose(content: Content, accept: string | undefined): Form | undefined {
    if (accept === undefined) return content.identity
    const coding = this.#codingFor(content, accept)
    return coding === 'identity' ? content.identity : content.coded.find((form) => form.coding === coding)
  }

  #codingFor({ offer }: Content, accept: string): string | undefined {
    const name = `${offer}|${accept}`
    const known = this.#known.get(name)
    if (known !== undefined || this.#known.has(name)) return known
    const chosen = chooseCoding(accept, offer.split(','))
    if (accept.length > MAX_TEXT_CHARS) return chosen
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear()
    this.#known.set(name, chosen)
    return chosen
  }
}
