/**
 * HTTP-date (RFC 9110 section 5.6.7): the preferred form and the two obsolete ones, nothing else.
 *
 * Floor 1, room rules. Pure; names are taken in any case, everything else exactly as the grammar has it, since a date
 * that is not valid makes a response stale (RFC 9111 section 5.3). The weekday is not compared with the date.
 */

const DAY = '(?:mon|tue|wed|thu|fri|sat|sun)'
const LONG_DAY = '(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)'
const MONTH = '(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)'
const TIME = '(\\d\\d):(\\d\\d):(\\d\\d)'
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

const IMF_FIXDATE = new RegExp(`^${DAY}, (\\d\\d) ${MONTH} (\\d{4}) ${TIME} gmt$`, 'i')
const RFC850 = new RegExp(`^${LONG_DAY}, (\\d\\d)-${MONTH}-(\\d\\d) ${TIME} gmt$`, 'i')
const ASCTIME = new RegExp(`^${DAY} ${MONTH} (\\d\\d| \\d) ${TIME} (\\d{4})$`, 'i')

/**
 * @param text a field value
 * @param now epoch ms: a two-digit year more than 50 years ahead of it lies in the past (RFC 9110 section 5.6.7)
 * @returns epoch ms, or undefined when the text is no HTTP-date
 */
export function parseHttpDate(text: string, now: number): number | undefined {
  if (text === lastFixed.text) return lastFixed.ms
  const fixed = IMF_FIXDATE.exec(text)
  if (fixed !== null) {
    lastFixed = { text, ms: at([fixed[3], fixed[2], fixed[1]], fixed.slice(4)) }
    return lastFixed.ms
  }
  const old = RFC850.exec(text)
  if (old !== null) return at([String(fullYear(Number(old[3]), now)), old[2], old[1]], old.slice(4))
  const asctime = ASCTIME.exec(text)
  if (asctime !== null) return at([asctime[6], asctime[1], asctime[2]], asctime.slice(3, 6))
  return undefined
}

/** The preferred form read last, which means the same at any time: all answers of a second bear the same Date. */
let lastFixed: { readonly text: string; readonly ms: number | undefined } = { text: '', ms: undefined }

/** The preferred form. @param ms epoch ms */
export function formatHttpDate(ms: number): string {
  return new Date(ms).toUTCString()
}

/** The only date of a field; undefined when it is absent, invalid, or given twice with different values. */
export function singleDate(lines: readonly string[], now: number): number | undefined {
  const [first, ...others] = lines
  if (first === undefined) return undefined
  const ms = parseHttpDate(first, now)
  return others.every((line) => parseHttpDate(line, now) === ms) ? ms : undefined
}

function fullYear(twoDigits: number, now: number): number {
  const thisYear = new Date(now).getUTCFullYear()
  const year = thisYear - (thisYear % 100) + twoDigits
  if (year > thisYear + 50) return year - 100
  return year < thisYear - 49 ? year + 100 : year
}

function at([year = '', month = '', day = '']: readonly (string | undefined)[], time: readonly string[]): number | undefined {
  const [hour, minute, second] = time.map(Number) as [number, number, number]
  if (hour > 23 || minute > 59 || second > 60) return undefined
  const index = MONTHS.indexOf(month.toLowerCase())
  const ms = Date.UTC(Number(year), index, Number(day), hour, minute, Math.min(second, 59))
  const date = new Date(ms)
  if (date.getUTCMonth() !== index || date.getUTCDate() !== Number(day)) return undefined
  // Date.UTC reads years 0 to 99 as 1900 to 1999.
  return date.getUTCFullYear() === Number(year) ? ms : undefined
}
