/**
 * The world of a drill: whole milliseconds, one server that holds log, entries and plain strings, an origin of versions, and
 * questions under way between them. No promises: everything that happens is one call, chosen by the schedule.
 */
import { Dice } from './dice.ts'
import { LeanCells } from './lean-cells.ts'
import { LeanLog, type LogImage } from './lean-log.ts'
import { type Member, noCounts, type Plain, type Reading, type Settings, type Writing } from './member.ts'
import { ANSWERED, ASKED, LOST, PARKED, Question } from './question.ts'

export const KEYS = ['k0', 'k1'] as const
export const BLIND_MS = 240
/** Little above the time that silence is trusted: a rule that is out by a few ms is noticed. */
export const ACK_MS = 245
export const MEMBER_TTL_MS = 250
/** Last window of every answer. */
export const BUDGET_MS = 1200

/** See the module's header. */
export class World {
  now = 1_000_000
  /** Changes with every moment. */
  tick = 0
  readonly dice = new Dice()
  readonly log: LeanLog
  readonly entries = new LeanCells()
  readonly plain = new Map<string, Plain>()
  readonly counts = noCounts()
  readonly versions: number[] = []
  settings: Settings = { policy: 'budget', hasSecond: true }
  members: readonly Member[] = []
  violations: string[] = []
  lines: string[] | undefined
  #supersededAt: number[][] = []
  #writings: Writing[] = []
  #local: number[][] = []
  #questions: Question[] = []
  /** Reads and writes of each member that nobody has answered. */
  #open: number[] = []
  #wallShift = 0
  #names = 0
  #image: LogImage | undefined
  #isFrozen = false

  constructor() {
    this.log = new LeanLog(
      MEMBER_TTL_MS,
      () => this.time(),
      () => `g${(this.#names += 1)}`,
    )
  }

  /** The server's wall clock. */
  time(): number {
    return this.now + this.#wallShift
  }

  /** Reads and writes that nobody has answered. */
  get open(): number {
    let open = 0
    for (const count of this.#open) open += count
    return open
  }

  get isQuiet(): boolean {
    return this.#questions.every(({ state }) => state === PARKED)
  }

  begin(settings: Settings, members: readonly Member[]): void {
    this.settings = settings
    this.members = members
    this.now = Math.ceil(this.now / 100_000) * 100_000 + 100_000 // whatever was before is long over
    this.tick += 1
    this.#wallShift = 5_000_000
    this.log.empty()
    this.log.run = 1
    this.entries.cells.clear()
    this.plain.clear()
    this.violations = []
    this.#questions = []
    this.#writings = []
    this.#supersededAt = KEYS.map(() => [])
    this.#local = members.map(() => KEYS.map(() => 0))
    this.#open = members.map(() => 0)
    this.#names = 0
    this.#image = undefined
    this.#isFrozen = false
    for (let key = 0; key < KEYS.length; key += 1) this.versions[key] = 0
    for (const member of members) {
      member.life = 0
      member.isPaused = false
      member.isCut = false
      member.start()
    }
  }

  note(text: string): void {
    this.lines?.push(`${String(this.now % 100_000).padStart(6)}  ${text}`)
  }

  // ── questions

  /** Asks the server. @param serve one step there; undefined: it waits for the next change */
  ask<T>(
    member: Member,
    what: string,
    { ms, serve, hear, fail }: { ms: number; serve: () => T | undefined; hear?: (reply: T) => void; fail?: () => void },
  ): void {
    this.#questions.push(new Question(member, what, { deadlineAt: this.now + ms, serve, hear, fail }))
  }

  /** Reads the origin: the version that stands there at some moment of the reading. */
  load(member: Member, key: number, hear: (version: number) => void): void {
    this.counts.loads += 1
    const serve = (): unknown => this.versions[key]
    this.#questions.push(new Question(member, 'load', { deadlineAt: Number.POSITIVE_INFINITY, serve, hear }))
  }

  /** Tells every other member; each word may be lost. */
  tell(from: Member, key: number, value: number): void {
    for (const member of this.members) {
      if (member === from || member.told === undefined) continue
      const serve = (): null => null
      const hear = (): void => member.told?.(key, value)
      this.#questions.push(new Question(member, 'word', { deadlineAt: this.now + 100, serve, hear }))
    }
  }

  /** Moves one question on: to the server, or its answer home. @returns whether there was one */
  deliver(pick: number): boolean {
    if (this.isOrdered) this.#sort()
    const { length } = this.#questions
    for (let i = 0; i < length; i += 1) {
      const index = (pick + i) % length
      const question = this.#questions[index] as Question
      if (!this.#mayMove(question)) continue
      this.#move(question, index)
      return true
    }
    return false
  }

  /** So that who asks two things at once may ask either first: for comparing systems that do. */
  isOrdered = false

  #sort(): void {
    const by = (one: Question, other: Question): number => {
      if (one.member !== other.member) return one.member.name < other.member.name ? -1 : 1
      if (one.what !== other.what) return one.what < other.what ? -1 : 1
      return one.order - other.order
    }
    this.#questions.sort(by)
  }

  get underWay(): number {
    return this.#questions.length
  }

  lose(pick: number): void {
    if (this.isOrdered) this.#sort()
    const question = this.#questions[pick % Math.max(1, this.#questions.length)]
    if (question === undefined || question.isOrigin) return
    question.state = LOST
    this.note(`${question.member.name}: lost: ${question.what}`)
  }

  /** It takes its time. */
  hold(pick: number, ms: number): void {
    if (this.isOrdered) this.#sort()
    const question = this.#questions[pick % Math.max(1, this.#questions.length)]
    if (question === undefined) return
    question.heldUntil = this.now + ms
    if (this.lines !== undefined) this.note(`${question.member.name}: takes ${ms} ms: ${question.what}`)
  }

  /** What a member has asked is answered late, all of it. */
  deafen(member: Member, ms: number): void {
    for (const question of this.#questions) {
      if (question.member === member && question.state === ANSWERED) question.heldUntil = this.now + ms
    }
    this.note(`${member.name} is answered ${ms} ms later`)
  }

  /** A word comes a second time. */
  repeat(pick: number): void {
    if (this.isOrdered) this.#sort()
    const question = this.#questions[pick % Math.max(1, this.#questions.length)]
    if (question === undefined || question.isOrigin || question.state !== ASKED) return
    question.serve()
    this.note(`${question.member.name}: done twice: ${question.what}`)
    this.#wake()
  }

  #mayMove({ state, member, isOrigin, heldUntil }: Question): boolean {
    if (state === LOST || state === PARKED || heldUntil > this.now) return false
    if (member.isCut && !isOrigin) return false
    if (state === ASKED) return isOrigin || !this.#isFrozen
    return !member.isPaused
  }

  #move(question: Question, index: number): void {
    if (question.state === ASKED) {
      const reply = question.serve()
      if (this.lines !== undefined) this.note(`${question.member.name}: done: ${question.what}`)
      question.state = reply === undefined && question.hear !== undefined ? PARKED : ANSWERED
      question.reply = reply
      if (!question.isOrigin) this.#wake()
      if (question.hear === undefined) this.#take(index)
      return
    }
    this.#take(index)
    if (question.life !== question.member.life) return
    if (this.lines !== undefined) this.note(`${question.member.name} hears: ${question.what}`)
    question.hear?.(question.reply as never)
  }

  #take(index: number): void {
    const last = this.#questions.pop() as Question
    if (index < this.#questions.length) this.#questions[index] = last
  }

  #wake(): void {
    for (const question of this.#questions) {
      if (question.state !== PARKED) continue
      const reply = question.serve()
      if (reply === undefined) continue
      question.reply = reply
      question.state = ANSWERED
    }
  }

  // ── time

  pass(ms: number): void {
    this.now += ms
    this.tick += 1
    for (const member of this.members) this.due(member)
  }

  /** What a member that runs finds when time has passed. */
  due(member: Member): void {
    if (member.isPaused || member.life < 0) return
    for (let i = this.#questions.length - 1; i >= 0; i -= 1) {
      const question = this.#questions[i]
      if (question === undefined || question.member !== member) continue
      if (question.life !== member.life) this.#take(i)
      else if (question.deadlineAt <= this.now && question.state !== PARKED) {
        this.#take(i)
        if (this.lines !== undefined) this.note(`${member.name} has no answer: ${question.what}`)
        question.fail?.()
      }
    }
    member.tick()
  }

  // ── clients

  read(index: number, key: number, hasToken: boolean): void {
    const member = this.members[index] as Member
    if (member.isPaused) return
    let token: Writing | undefined
    let [floor, seenFloor] = [this.#local[index]?.[key] ?? 0, 0]
    for (const writing of this.#writings) {
      if (writing.key !== key || !writing.isAnswered) continue
      if (hasToken && writing.token !== undefined && writing.version > (token?.version ?? 0)) token = writing
      if (writing.sequence === 0) continue
      const isOver = this.settings.policy === 'miss' || (writing.hasAll && member.hasApplied(writing))
      if (isOver) floor = Math.max(floor, writing.version)
      else if (writing.hasAll || writing.answeredAt < this.now - BLIND_MS) seenFloor = Math.max(seenFloor, writing.version)
    }
    if (token !== undefined) {
      this.counts.tokens += 1
      floor = Math.max(floor, token.version)
    }
    this.counts.reads += 1
    this.#count(member, 1)
    if (this.lines !== undefined) this.note(`${member.name} is asked for k${key}${token === undefined ? '' : ' with a token'}`)
    member.read({ member, life: member.life, key, token, begunAt: this.now, floor, seenFloor })
  }

  answer(reading: Reading, version: number, isCached: boolean): void {
    const { member, key, begunAt } = reading
    if (reading.life !== member.life) return
    this.#count(member, -1)
    if (isCached) this.counts.cached += 1
    if (this.lines !== undefined) this.note(`${member.name} answers k${key} v${version}${isCached ? ' from its cache' : ''}`)
    if (version < reading.floor) this.broken(`${member.name} gave k${key} v${version}, not v${reading.floor}`)
    else if (version < reading.seenFloor) {
      const wrong = member.shouldHaveSeen(begunAt)
      if (wrong !== undefined) this.broken(`${member.name} gave k${key} v${version}, not v${reading.seenFloor}, ${wrong}`)
    }
    const since = this.#supersededAt[key]?.[version] ?? Number.POSITIVE_INFINITY
    if (begunAt > since + BUDGET_MS) this.broken(`${member.name} gave k${key} v${version}, ${begunAt - since} ms too old`)
  }

  /** The origin is another one, and nobody hears of it. */
  change(key: number): number {
    const version = (this.versions[key] ?? 0) + 1
    ;(this.#supersededAt[key] as number[])[version - 1] = this.now
    this.versions[key] = version
    if (this.lines !== undefined) this.note(`k${key} is v${version} now`)
    return version
  }

  write(index: number, key: number): void {
    const member = this.members[index] as Member
    if (member.isPaused) return
    const version = this.change(key)
    this.counts.writes += 1
    this.#count(member, 1)
    const writing: Writing = {
      ...{ member, life: member.life, key, version, begunAt: this.now },
      ...{ isAnswered: false, answeredAt: 0, token: undefined, sequence: 0, hasAll: false },
    }
    this.#writings.push(writing)
    if (this.lines !== undefined) this.note(`${member.name} is told of k${key} v${version}`)
    member.write(writing)
    if (!this.settings.isPlain) this.isGoneHere(writing)
  }

  /** From now on this member answers nothing older. */
  isGoneHere({ member, life, key, version }: Writing): void {
    const local = this.#local[this.members.indexOf(member)] as number[]
    if (life === member.life) local[key] = Math.max(local[key] ?? 0, version)
  }

  acknowledge(writing: Writing, { token, sequence, hasAll }: Pick<Writing, 'token' | 'sequence' | 'hasAll'>): void {
    if (writing.life !== writing.member.life || writing.isAnswered) return
    this.#count(writing.member, -1)
    writing.isAnswered = true
    writing.answeredAt = this.now
    writing.token = token
    writing.sequence = sequence
    writing.hasAll = hasAll
    if (this.settings.isPlain === true) this.isGoneHere(writing)
    if (this.lines !== undefined)
      this.note(`${writing.member.name} has told of k${writing.key} v${writing.version}${hasAll ? '; all have followed' : ''}`)
  }

  broken(text: string): void {
    this.violations.push(text)
    this.note(`BROKEN: ${text}`)
  }

  // ── faults

  crash(member: Member): void {
    member.stop()
    member.life += 1
    member.isPaused = false
    let open = 0
    for (const question of this.#questions) if (question.member === member) open += 1
    if (open > 0) this.#questions = this.#questions.filter((one) => one.member !== member)
    this.#local[this.members.indexOf(member)]?.fill(0)
    this.#open[this.members.indexOf(member)] = 0
    this.note(`${member.name} dies and comes back`)
    member.start()
  }

  #count(member: Member, by: number): void {
    const index = this.members.indexOf(member)
    this.#open[index] = (this.#open[index] ?? 0) + by
  }

  /** The server goes and comes again. */
  restart(how: 'with its data' | 'without its data' | 'as a replica'): void {
    this.note(`the server comes back ${how}`)
    for (const question of this.#questions) if (!question.isOrigin) question.state = LOST
    if (how === 'without its data') {
      this.log.empty()
      this.entries.cells.clear()
      this.plain.clear()
    } else if (how === 'as a replica' && this.#image !== undefined) {
      this.log.failOver(this.#image)
      this.#wallShift += this.dice.below(2000) - 1000
    } else this.log.run += 1
  }

  /** What a replica knows from now on. */
  replicate = (): void => void (this.#image = this.log.image())
  freeze = (isFrozen: boolean): void => void (this.#isFrozen = isFrozen)
  stepClock = (ms: number): void => void (this.#wallShift += ms)

  mend(): void {
    this.#isFrozen = false
    for (const member of this.members) {
      member.isCut = false
      member.isPaused = false
    }
  }
}
