/**
 * A question under way in a drill: from a node to the server or the origin, and its answer back.
 */
import type { Member } from './member.ts'

export const ASKED = 0
export const PARKED = 1
export const ANSWERED = 2
export const LOST = 3

let asked = 0

/** A question under way. */
export class Question {
  readonly member: Member
  readonly life: number
  readonly what: string
  readonly deadlineAt: number
  readonly isOrigin: boolean
  /** Place among those that a member asked in the same words. */
  readonly order: number = (asked += 1)
  state = ASKED
  heldUntil = 0
  /** Undefined: nothing yet, the question waits at the server. */
  readonly serve: () => unknown
  readonly hear: ((reply: never) => void) | undefined
  readonly fail: (() => void) | undefined
  reply: unknown = undefined

  constructor(
    member: Member,
    what: string,
    { deadlineAt, serve, hear, fail }: Omit<Asked, 'ms'> & { readonly deadlineAt: number },
  ) {
    this.member = member
    this.life = member.life
    this.what = what
    this.deadlineAt = deadlineAt
    this.isOrigin = deadlineAt === Number.POSITIVE_INFINITY
    this.serve = serve
    this.hear = hear
    this.fail = fail
  }
}

export interface Asked {
  readonly ms: number
  readonly serve: () => unknown
  readonly hear?: ((reply: never) => void) | undefined
  readonly fail?: (() => void) | undefined
}
