/**
 * What refreshing ahead may cost: extra requests to the origin as a share of those that would be made without it.
 *
 * Floor 3, room flow. A refresh that is read spares most of a load; what it does not is extra. The threshold moves to where what
 * is expected to be extra just uses the budget up, never below the chance at which refreshing pays at all; what was spent may
 * not run ahead of what was earned. Where what was expected says nothing of what came, as with keys that are all alike, only
 * what is nearly certain is refreshed. O(1) but for one pass over 51 classes every 32 questions.
 */

/** What a budget allows. */
export interface AheadBudgetOptions {
  /** Extra requests, as a share of those without refreshing ahead; 0.1: one in ten. */
  readonly extra: number
  /** Nothing less likely is refreshed, whatever the budget; 0 to 1. */
  readonly minChance: number
}

/** What was asked for an entry, and what was said. */
export interface AheadQuestion {
  /** Of being read. */
  readonly chance: number
  /** Loads that a refresh is expected to spare. */
  readonly worth: number
  readonly granted: boolean
}

const CLASSES = 51
const QUESTIONS = 32
/** What is remembered fades by this at every pass. */
const FADE = 0.99
/** Of the budget; what a refresh spares is an estimate, and budgets are kept rather than used up. */
const SHARE = 0.9
/** Loads that a refresh spares which is read but seldom; see `sparedBy`. */
const SELDOM = 0.75
/** Outcomes before what came is believed. */
const PRIOR = 5
/** Chance from which on an entry is refreshed where nothing was learned. */
const CERTAIN = 0.8
/** Correlation of what was expected with what came: below the first nothing was learned, above the second all is well. */
const LEARNED: readonly [number, number] = [0.05, 0.15]
/** How far the correlation may be chance. */
const SIGMAS = 1.5

/**
 * Loads that a refresh spares which was read so often within its period: a plain TTL would have loaded at the first of these
 * reads, later than the refresh by 1 / (reads + 1) of a period or so, and everything that follows later with it.
 */
export function sparedBy(reads: number): number {
  return Math.max(SELDOM, reads / (reads + 1))
}

/** See the module's header. */
export class AheadBudget {
  readonly #options: AheadBudgetOptions
  /** By worth: what is expected to be extra. */
  readonly #extra = new Float64Array(CLASSES)
  /** Loads that would be made without it, and what was extra: of late, fading. */
  #earned = 0
  #spent = 0
  /** What refreshes under way are expected to cost; the next one may be the last that can be paid. */
  #bound = 0
  #questions = 0
  /** Sooner at first: nothing is granted before. */
  #nextMove = 4
  #threshold = 1.01
  /** Least worth, whatever the budget. */
  #floor = 1.01
  /** Of the class just below the threshold the budget allows a part; every so many of them add up to one. */
  #part = 0
  #parts = 0
  /** Of what was granted of late, fading: what was expected to be spared, and was. */
  #expected = 0
  #spared = 0
  readonly #learned = new Correlation()

  constructor(options: AheadBudgetOptions) {
    this.#options = options
  }

  /** Worth from which on an entry is refreshed. */
  get threshold(): number {
    return this.#threshold
  }

  /** Extra requests of late, as a share of what would have been made. */
  get extra(): number {
    return this.#earned === 0 ? 0 : this.#spent / this.#earned
  }

  /** @param reads of the period that ends: as many are expected in the next, if there are any */
  ask(chance: number, reads: number): AheadQuestion {
    const worth = chance * sparedBy(Math.max(1, reads))
    return { chance, worth, granted: this.#grants(worth) }
  }

  /** It was granted, and cannot be done. */
  withdraw({ worth }: AheadQuestion): void {
    this.#bound = Math.max(0, this.#bound - 1 + worth)
  }

  /** Somebody waited for a load, as he would have anyway. */
  missed(): void {
    this.#earned += 1
  }

  /** What became of an entry. @param reads within the period; 0: it was not read */
  settle(question: AheadQuestion, reads: number): void {
    const { chance, worth, granted } = question
    this.#learned.note(chance, reads > 0 ? 1 : 0)
    if (!granted) return
    const spared = reads > 0 ? sparedBy(reads) : 0
    this.withdraw(question)
    this.#expected += worth
    this.#spared += spared
    this.#earned += spared
    this.#spent += 1 - spared
  }

  #grants(worth: number): boolean {
    const place = Math.min(CLASSES - 1, Math.floor(worth * (CLASSES - 1)))
    this.#extra[place] = (this.#extra[place] as number) + 1 - worth
    this.#questions += 1
    if (this.#questions >= this.#nextMove) {
      this.#nextMove += Math.min(QUESTIONS, this.#questions)
      this.#move()
    }
    if (this.#spent + this.#bound > this.#options.extra * SHARE * this.#earned) return false
    if (worth < this.#threshold && !this.#isPart(worth)) return false
    this.#bound += 1 - worth
    return true
  }

  #isPart(worth: number): boolean {
    if (worth < this.#threshold - 1 / (CLASSES - 1) || worth < this.#floor) return false
    this.#parts += this.#part
    if (this.#parts < 1) return false
    this.#parts -= 1
    return true
  }

  #move(): void {
    let place = CLASSES - 1
    let left = this.#options.extra * SHARE * this.#earned
    while (place >= 0 && left >= (this.#extra[place] as number)) {
      left -= this.#extra[place] as number
      place -= 1
    }
    this.#floor = this.#leastWorth()
    this.#threshold = Math.max((place + 1) / (CLASSES - 1), this.#floor)
    this.#part = place < 0 ? 0 : left / (this.#extra[place] as number)
    this.#expected *= FADE
    this.#spared *= FADE
    for (let at = 0; at < CLASSES; at += 1) this.#extra[at] = (this.#extra[at] as number) * FADE
    this.#earned *= FADE
    this.#spent *= FADE
    this.#learned.fade(FADE)
  }

  /** Where more was expected than came, more has to be expected: what is chosen by a noisy estimate is noise for a part. */
  #leastWorth(): number {
    const optimism = Math.max(1, (this.#expected + PRIOR) / (this.#spared + PRIOR))
    const [nothing, all] = LEARNED
    const part = Math.min(1, Math.max(0, (this.#learned.least(SIGMAS) - nothing) / (all - nothing)))
    const least = this.#options.minChance * SELDOM * optimism
    return least + (1 - part) * Math.max(0, CERTAIN - least)
  }
}

/** Of two numbers, of late. */
class Correlation {
  #count = 0
  #x = 0
  #y = 0
  #xx = 0
  #yy = 0
  #xy = 0

  note(x: number, y: number): void {
    this.#count += 1
    this.#x += x
    this.#y += y
    this.#xx += x * x
    this.#yy += y * y
    this.#xy += x * y
  }

  fade(by: number): void {
    this.#count *= by
    this.#x *= by
    this.#y *= by
    this.#xx *= by
    this.#yy *= by
    this.#xy *= by
  }

  /** So many standard deviations below what was seen. Where nearly everything is read, it is all that is to be known: 1. */
  least(sigmas: number): number {
    const n = Math.max(1, this.#count)
    if (n >= MIN_OUTCOMES && this.#y >= n * NEARLY_ALL) return 1
    const of = (xy: number, x: number, y: number): number => xy / n - (x / n) * (y / n)
    const spread = of(this.#xx, this.#x, this.#x) * of(this.#yy, this.#y, this.#y)
    if (spread <= 1e-9) return 0
    return of(this.#xy, this.#x, this.#y) / Math.sqrt(spread) - sigmas / Math.sqrt(n)
  }
}

const MIN_OUTCOMES = 10
const NEARLY_ALL = 0.85
