/**
 * Hours and weekdays as people live them.
 *
 * Floor 3, room flow. Of the wall clock, which is handed in: in the night of a change an hour is missing or comes twice, and
 * neither disturbs anything. Asked about once a second; a moment is kept for its minute.
 */

/** A moment of the wall clock in a time zone. */
export interface Moment {
  /** Days since 1970-01-01, by the local date. */
  readonly day: number
  /** 0 is Sunday. */
  readonly weekday: number
  /** 0 to 23. */
  readonly hour: number
  readonly minute: number
}

export type Calendar = (wallMs: number) => Moment

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** @param timeZone IANA name; default: the process's */
export function createCalendar(timeZone?: string): Calendar {
  const read = timeZone === undefined ? readLocal : readerOf(timeZone)
  let minute = Number.NaN
  let moment: Moment = read(0)
  return (wallMs) => {
    const at = Math.floor(wallMs / MINUTE_MS)
    if (at !== minute) {
      minute = at
      moment = read(at * MINUTE_MS)
    }
    return moment
  }
}

function readLocal(wallMs: number): Moment {
  const date = new Date(wallMs)
  const day = Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / DAY_MS
  return { day, weekday: date.getDay(), hour: date.getHours(), minute: date.getMinutes() }
}

function readerOf(timeZone: string): (wallMs: number) => Moment {
  const format = new Intl.DateTimeFormat('en', {
    ...{ timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' },
  })
  return (wallMs) => {
    const parts = Object.fromEntries(format.formatToParts(wallMs).map(({ type, value }) => [type, Number(value)]))
    const day = Date.UTC(parts.year as number, (parts.month as number) - 1, parts.day) / DAY_MS
    return { day, weekday: (day + 4) % 7, hour: parts.hour as number, minute: parts.minute as number }
  }
}
