/**
 * Builds the reply of a command whose texts are bytes as latin1.
 *
 * Floor 4, room resp. One growing buffer, used again for every command.
 */
import { ReplyWriter } from '../wire/resp-write.ts'
import { formatDouble } from '../wire/resp-double.ts'

/** See the module's header. */
export class Reply extends ReplyWriter {
  ok(): void {
    this.text('+OK\r\n')
  }

  override error(text: string): this {
    return this.text(`-${text.replace(/[\r\n]+$/, '').replace(/[\r\n]/g, ' ')}\r\n`)
  }

  /** Up to 64 bits. */
  whole(value: number | bigint): void {
    if (typeof value === 'bigint') this.bigInteger(value)
    else this.integer(value)
  }

  str(text: string): void {
    this.bulkHead(text.length)
    this.text(text)
    this.text('\r\n')
  }

  strOrNull(text: string | undefined): void {
    if (text === undefined) this.null()
    else this.str(text)
  }

  strs(texts: readonly string[]): void {
    this.array(texts.length)
    for (const text of texts) this.str(text)
  }

  /** What is listed as a set in RESP3. */
  setOf(texts: readonly string[]): void {
    this.set(texts.length)
    for (const text of texts) this.str(text)
  }

  override double(value: number): this {
    const text = formatDouble(value)
    if (this.version === 3) return this.text(`,${text}\r\n`)
    this.str(text)
    return this
  }

  /** Text for people, such as INFO. */
  plain(text: string): void {
    if (this.version === 2) this.str(text)
    else this.text(`=${text.length + 4}\r\ntxt:${text}\r\n`)
  }
}
