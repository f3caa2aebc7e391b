/**
 * Requests from lines of columns or of JSON, whose places are told by names, or by what stands in them.
 */
import { createJsonReader } from '../../src/advice/read-json.ts'

/** One request, as far as its line tells. */
export interface Request {
  readonly key: string
  /** -1: not told. */
  readonly size: number
  /** In any unit; 0: not told. */
  readonly at: number
  /** '': not told. */
  readonly client: string
}

export type LineParser = (line: string) => Request | undefined

const SAMPLE = 200
const MIN_RISING = 0.9

/** A cache answers what was read and came whole. */
export function isCacheable(method: string, status: string): boolean {
  return method === 'GET' && (status === '200' || status === '304')
}

interface Places {
  readonly key: number
  readonly size: number
  readonly time: number
  readonly method: number
  readonly status: number
  readonly client: number
}

const NOWHERE: Places = { key: 0, size: -1, time: -1, method: -1, status: -1, client: -1 }

/** By the names of a header line, which it removes from `lines`; without one by what stands in the columns. */
export function columnParser(lines: string[], separator: string, all: boolean): LineParser {
  const named = placesByName(cellsOf(lines[0] ?? '', separator))
  if (named !== undefined) lines.shift()
  const at = named ?? placesByLook(sampleOf(lines).map((line) => cellsOf(line, separator)))
  return (line) => {
    const cells = cellsOf(line, separator)
    const name = cells[at.key]
    if (name === undefined || name === '') return undefined
    if (!all && at.method >= 0 && at.status >= 0 && !isCacheable(cells[at.method] ?? '', cells[at.status] ?? '')) return undefined
    const size = Number.parseInt(cells[at.size] ?? '', 10)
    return { key: name, size: Number.isNaN(size) ? -1 : size, at: readMoment(cells[at.time]), client: cells[at.client] ?? '' }
  }
}

function sampleOf(lines: readonly string[]): string[] {
  return lines.slice(0, SAMPLE).filter((line) => line.trim() !== '')
}

function placesByName(cells: readonly string[]): Places | undefined {
  const header = cells.map((name) => name.toLowerCase())
  const column = (...names: string[]): number => header.findIndex((name) => names.includes(name))
  const key = column('url', 'key', 'id', 'obj_id', 'object', 'path', 'uri', 'target')
  if (key < 0) return undefined
  return {
    key,
    size: column('bytes', 'size', 'obj_size'),
    time: column('time', 'timestamp', 'ts', 'at'),
    method: column('method'),
    status: column('response', 'status'),
    client: column('host', 'client', 'session', 'user'),
  }
}

/** `time,key[,client][,size]` where the first column rises like a clock, but not by ones; else `key[,size]`. */
function placesByLook(rows: readonly (readonly string[])[]): Places {
  const times = rows.map(([first]) => readMoment(first))
  const steps = times.slice(1).map((time, at) => time - (times[at] as number))
  const isOrdinal = steps.length > 2 && steps.every((step) => step === 1)
  const isClock = times.every((time) => time > 0) || (times[0] === 0 && times.slice(1).every((time) => time > 0))
  const isRising = steps.length > 0 && steps.filter((step) => step >= 0).length >= steps.length * MIN_RISING
  const columns = Math.max(...rows.map((row) => row.length), 1)
  const isNumeric = (at: number): boolean => rows.every((row) => /^-?\d*$/.test(row[at] ?? ''))
  if (columns < 2 || !isClock || !isRising || new Set(times).size < 2) return { ...NOWHERE, size: columns > 1 ? 1 : -1 }
  const [client, size] = columns > 3 ? [2, 3] : columns === 3 && isNumeric(2) ? [-1, 2] : [2, -1]
  return { ...NOWHERE, key: 1, time: isOrdinal ? -1 : 0, client, size }
}

/** Quoted cells as in RFC 4180, without line ends in them. */
function cellsOf(line: string, separator: string): string[] {
  if (!line.includes('"')) return line.split(separator).map((cell) => cell.trim())
  const cells = [...line.matchAll(separator === ',' ? /("(?:[^"]|"")*"|[^,]*)(?:,|$)/g : /("(?:[^"]|"")*"|[^\t]*)(?:\t|$)/g)]
  return cells.map(([, cell = '']) => (cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell.trim()))
}

/** A number as it stands, or a date in ms; 0 when it is neither. */
function readMoment(text: string | undefined): number {
  if (text === undefined || text === '') return 0
  const number = Number(text)
  if (!Number.isNaN(number)) return number
  const parsed = Date.parse(text)
  return Number.isNaN(parsed) ? 0 : parsed
}

const KEY_NAMES = ['key', 'id', 'obj_id', 'object', 'name'] as const

/** Lines of an access log in JSON, or of objects that bear a `key`. */
export function jsonParser(all: boolean): LineParser {
  const read = createJsonReader()
  return (line) => {
    const access = read(line)
    if (access !== undefined) {
      const { target, atMs, client, bytes, method, status } = access
      return all || isCacheable(method, String(status)) ? { key: target, size: bytes, at: atMs, client } : undefined
    }
    const values = objectOf(line)
    const key = KEY_NAMES.map((name) => values[name]).find((one) => typeof one === 'string' || typeof one === 'number')
    if (key === undefined) return undefined
    const text = (...names: string[]): string => String(names.map((name) => values[name]).find((one) => one !== undefined) ?? '')
    const size = Number(text('size', 'bytes') || -1)
    return {
      key: String(key),
      size: Number.isInteger(size) ? size : -1,
      at: readMoment(text('time', 'timestamp', 'ts', 'at')),
      client: text('client', 'session', 'user', 'host'),
    }
  }
}

function objectOf(line: string): Record<string, unknown> {
  try {
    const parsed: unknown = JSON.parse(line)
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
