/**
 * Inline commands: a line of words, with quotes and escapes as `redis-cli` users write them.
 *
 * Floor 1, room wire. Pure. Splits as Redis's `sdssplitargs` does and writes the words as the request of bulks they stand
 * for, so that whoever reads requests knows one form only.
 */
const SPACE = 0x20
const QUOTE = 0x22
const APOSTROPHE = 0x27
const BACKSLASH = 0x5c
const LOWER_X = 0x78

/** `\n \r \t \b \a`; any other letter stands for itself. */
const ESCAPES: Readonly<Record<number, number>> = { 0x6e: 0x0a, 0x72: 0x0d, 0x74: 0x09, 0x62: 0x08, 0x61: 0x07 }

/** Where a word began, its bytes unescaped into `into`, and where reading goes on. */
class Words {
  readonly ends: number[] = []
  readonly into: Buffer
  readonly #line: Buffer
  #at = 0
  #used = 0

  constructor(line: Buffer) {
    this.#line = line
    this.into = Buffer.allocUnsafe(line.length)
  }

  /** @returns false where quotes are unbalanced */
  split(): boolean {
    for (;;) {
      while (isSpace(this.#line[this.#at])) this.#at += 1
      if (this.#at >= this.#line.length) return true
      if (!this.#word()) return false
      this.ends.push(this.#used)
    }
  }

  #word(): boolean {
    for (;;) {
      const byte = this.#line[this.#at]
      if (byte === undefined || byte === 0 || isDelimiter(byte)) return true
      this.#at += 1
      if (byte === QUOTE) return this.#quoted()
      if (byte === APOSTROPHE) return this.#apostrophes()
      this.#put(byte)
    }
  }

  /** Within double quotes: escapes. The closing one ends the word and must be followed by a space or nothing. */
  #quoted(): boolean {
    for (;;) {
      const byte = this.#line[this.#at]
      if (byte === undefined) return false
      this.#at += 1
      if (byte === QUOTE) return this.#closes()
      if (byte !== BACKSLASH || this.#at >= this.#line.length) this.#put(byte)
      else this.#escape()
    }
  }

  #escape(): void {
    const letter = this.#line[this.#at] as number
    if (letter === LOWER_X) {
      const high = hexOf(this.#line[this.#at + 1])
      const low = hexOf(this.#line[this.#at + 2])
      if (high >= 0 && low >= 0) {
        this.#at += 3
        this.#put(high * 16 + low)
        return
      }
    }
    this.#at += 1
    this.#put(ESCAPES[letter] ?? letter)
  }

  /** Within apostrophes: only `\'` is an escape. */
  #apostrophes(): boolean {
    for (;;) {
      const byte = this.#line[this.#at]
      if (byte === undefined) return false
      this.#at += 1
      if (byte === APOSTROPHE) return this.#closes()
      if (byte === BACKSLASH && this.#line[this.#at] === APOSTROPHE) {
        this.#at += 1
        this.#put(APOSTROPHE)
      } else this.#put(byte)
    }
  }

  #closes(): boolean {
    const next = this.#line[this.#at]
    return next === undefined || isSpace(next)
  }

  #put(byte: number): void {
    this.into[this.#used++] = byte
  }
}

/**
 * @param line without its end
 * @returns the request `*n`, `$length` … that the line stands for; empty when it holds no word; undefined where quotes are
 * unbalanced
 */
export function inlineRequest(line: Buffer): Buffer | undefined {
  const words = new Words(line)
  if (!words.split()) return undefined
  if (words.ends.length === 0) return EMPTY
  const parts: Buffer[] = [Buffer.from(`*${words.ends.length}\r\n`, 'latin1')]
  let start = 0
  for (const end of words.ends) {
    parts.push(Buffer.from(`$${end - start}\r\n`, 'latin1'), words.into.subarray(start, end), CRLF)
    start = end
  }
  return Buffer.concat(parts)
}

const CRLF = Buffer.from('\r\n', 'latin1')
const EMPTY = Buffer.alloc(0)

/** What `isspace` holds for. */
function isSpace(byte: number | undefined): boolean {
  return byte === SPACE || (byte !== undefined && byte >= 0x09 && byte <= 0x0d)
}

/** What ends a bare word: fewer than the spaces. */
function isDelimiter(byte: number): boolean {
  return byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09
}

function hexOf(byte: number | undefined): number {
  if (byte === undefined) return -1
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
