/**
 * What refreshing ahead may cost: extra requests to the origin as a share of those that would be made without it.
 *
 * Floor 3, room flow. A refresh that is read pays for the load it spares; one that is not is extra. The threshold moves to
 * where the refreshes expected to be wasted just use the budget up, and never below the chance at which refreshing pays at
 * all; what was spent may not run ahead of what was earned. O(1) but for one pass over 51 classes every 32 questions.
 */

/** What a budget allows. */
export interface PredictBudgetOptions {
  /** Extra requests, as a share of those without refreshing ahead; 0.1: one in ten. */
  readonly extra: number
  /** Nothing less likely is refreshed, whatever the budget; 0 to 1. */
  readonly minChance: number
}

const CLASSES = 51
const QUESTIONS = 32
/** What is remembered fades by this at every pass. */
const FADE = 0.99
/** Refreshes granted before anything was earned. */
const CREDIT = 2
/** Of the budget; what a refresh spares is an estimate, and budgets are kept rather than used up. */
const SHARE = 0.86
/** Without refreshing ahead the next load comes half a gap after the end, on average, and all that follow later with it. */
const RESIDUAL = 0.5

/** See the module's header. */
export class PredictBudget {
  readonly #options: PredictBudgetOptions
  /** By chance: the requests expected to be wasted. */
  readonly #waste = new Float64Array(CLASSES)
  /** Loads that would be made without it: of late, and ever, fading. */
  #lately = 0
  #earned = 0
  #spent = 0
  #questions = 0
  /** Sooner at first: nothing is granted before. */
  #nextMove = 4
  #threshold = 1.01
  /** Of the class just below the threshold the budget allows a part; every so many of them add up to one. */
  #part = 0
  #parts = 0
  /** Of what was granted of late, fading: how many were expected to be read, and were. */
  #expected = 0
  #read = 0

  constructor(options: PredictBudgetOptions) {
    this.#options = options
  }

  /** Chances from here up are refreshed. */
  get threshold(): number {
    return this.#threshold
  }

  /** Extra requests so far, as a share of what would have been made; fading. */
  get extra(): number {
    return this.#earned === 0 ? 0 : this.#spent / this.#earned
  }

  /** Whether an entry with this chance of being read is to be refreshed. */
  grants(chance: number): boolean {
    const place = Math.min(CLASSES - 1, Math.floor(chance * (CLASSES - 1)))
    this.#waste[place] = (this.#waste[place] as number) + 1 - chance
    this.#questions += 1
    if (this.#questions >= this.#nextMove) {
      this.#nextMove += Math.min(QUESTIONS, this.#questions)
      this.#move()
    }
    if (this.#spent >= this.#options.extra * SHARE * this.#earned + CREDIT) return false
    return chance >= this.#threshold || (chance >= this.#threshold - 1 / (CLASSES - 1) && this.#isPart(chance))
  }

  /** Somebody waited for a load, as he would have anyway. */
  missed(): void {
    this.#earn(1)
  }

  /**
   * What became of a refresh that was granted.
   *
   * @param chance what was expected
   * @param gap smoothed gap between reads, in periods; 0: unknown
   */
  settle(wasRead: boolean, { chance, gap }: { readonly chance: number; readonly gap: number }): void {
    this.#expected += chance
    if (wasRead) this.#read += 1
    if (!wasRead) this.#spent += 1
    else {
      const spared = 1 / (1 + gap * RESIDUAL)
      this.#earn(spared)
      this.#spent += 1 - spared
    }
  }

  #isPart(chance: number): boolean {
    if (chance < this.#options.minChance * this.#optimism()) return false
    this.#parts += this.#part
    if (this.#parts < 1) return false
    this.#parts -= 1
    return true
  }

  /** Where more was expected than came, more has to be expected: what is chosen by a noisy estimate is noise for a part. */
  #optimism(): number {
    return Math.max(1, (this.#expected + PRIOR) / (this.#read + PRIOR))
  }

  #earn(loads: number): void {
    this.#earned += loads
    this.#lately += loads
  }

  #move(): void {
    const allowed = this.#options.extra * SHARE * this.#lately
    let place = CLASSES - 1
    let left = allowed
    while (place >= 0 && left >= (this.#waste[place] as number)) {
      left -= this.#waste[place] as number
      place -= 1
    }
    this.#threshold = Math.max((place + 1) / (CLASSES - 1), this.#options.minChance * this.#optimism())
    this.#part = place < 0 ? 0 : left / (this.#waste[place] as number)
    this.#expected *= FADE
    this.#read *= FADE
    for (let at = 0; at < CLASSES; at += 1) this.#waste[at] = (this.#waste[at] as number) * FADE
    this.#lately *= FADE
    if (this.#earned > MAX_EARNED) {
      this.#earned /= 2
      this.#spent /= 2
    }
  }
}

const MAX_EARNED = 1e6
/** Outcomes before what came is believed. */
const PRIOR = 5
