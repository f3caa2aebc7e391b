/**
 * The bodies that every server of a comparison answers: JSON that names its key and compresses as API answers do.
 */

const WORDS = ['price', 'stock', 'title', 'rating', 'updated', 'currency', 'delivery', 'warehouse', 'supplier', 'discount']

/** @param path `/BYTES/KEY` or `/z/BYTES/KEY` @returns latin1 text of exactly so many bytes */
export function contentOf(path: string): string {
  const [key = '', bytes = '0'] = path.split('/').reverse()
  const length = Number(bytes)
  let text = `{"id":${JSON.stringify(key)}`
  let seed = (Number(key) | 0) + 1
  for (let i = 0; text.length < length - 40; i += 1) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    text += `,"${WORDS[i % WORDS.length]}${i}":${seed % 100_000}`
  }
  return `${`${text},"end":"`.padEnd(length - 2, 'x')}"}`.slice(0, length)
}
