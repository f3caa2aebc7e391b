/**
 * Reads request traces of several formats into dense integers.
 *
 * Formats (auto-detected unless named):
 * - `int32`      one big-endian 32-bit key per request, nothing else (cache2k's traces; `web07` and `orm` are synonyms)
 * - `tsv`        tab-separated with a header naming a column `url`, `key`, `id`, `obj_id` or `path`; `method`, `response` or
 *                `status`, `time` and `bytes` or `size` are understood
 * - `clf`        common or combined log format; the key is the request target
 * - `adaptsize`  ordinal, id, size in bytes, separated by spaces
 * - `csv`        time,key[,client][,size] or key[,size] per line; with a header as for tsv also any order of columns
 * - `json`       one object a line: an access log with the usual names, or `key`, `time`, `client`, `size`
 * - `text`       one key per line, without blanks
 * Access logs (clf, and tsv with methods) are read as a cache sees them: only GET answered with 200 or 304 unless `all`
 * is asked for, in order of their time stamps. Files ending in .xz, .gz, .br or .zst are unpacked.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { columnParser, isCacheable, jsonParser, type LineParser, type Request } from './columns.ts'

/** Requests of a trace. */
export interface Trace {
  /** Dense key numbers, 0 to `distinct - 1`, in order of first appearance. */
  readonly ids: Int32Array
  readonly distinct: number
  /** Bytes per request where the format tells them. */
  readonly sizes: Int32Array | undefined
  /** Time of each request in ms since the first; undefined where the format tells none. */
  readonly atMs: Float64Array | undefined
  /** Dense numbers of who asked; undefined where the format does not tell. */
  readonly clients: Int32Array | undefined
  /** Names of the keys. */
  readonly names: readonly string[]
  readonly format: string
  /** Lines that could not be read. */
  readonly skipped: number
}

export const FORMATS = ['auto', 'int32', 'tsv', 'clf', 'adaptsize', 'csv', 'json', 'text'] as const
export type Format = (typeof FORMATS)[number]

const SYNONYMS: Readonly<Record<string, Format>> = {
  web07: 'int32',
  orm: 'int32',
  'orm-busy': 'int32',
  cache2k: 'int32',
  nasa: 'tsv',
  combined: 'clf',
  common: 'clf',
  apache: 'clf',
  lines: 'text',
  jsonl: 'json',
  ndjson: 'json',
  txt: 'text',
  plain: 'text',
}

/** @throws Error naming the known formats */
export function parseFormat(given: string): Format {
  const format = SYNONYMS[given] ?? given
  if ((FORMATS as readonly string[]).includes(format)) return format as Format
  throw new Error(`--format ${given}: known formats: ${FORMATS.join(', ')} (synonyms: ${Object.keys(SYNONYMS).join(', ')})`)
}

/** @throws Error when the file cannot be read or unpacked, or holds no request */
export function readTrace(file: string, format: Format = 'auto', all = false): Trace {
  const bytes = unpack(file)
  const chosen = format === 'auto' ? detect(file, bytes) : format
  const trace = chosen === 'int32' ? readInt32(bytes) : readLines(bytes.toString('latin1'), chosen, all)
  if (trace.ids.length === 0) throw new Error(`${file}: no request found when read as ${chosen}; name another --format`)
  return trace
}

function unpack(file: string): Buffer {
  const raw = readFileSync(file)
  if (raw.length >= 6 && raw.readUIntBE(0, 6) === 0xfd377a585a00) {
    const xz = spawnSync('xz', ['-dc', file], { maxBuffer: 2 ** 31 - 1 })
    if (xz.error !== undefined) throw new Error(`${file}: needs the program xz to unpack (Debian: apt-get install xz-utils)`)
    if (xz.status !== 0) throw new Error(`${file}: xz could not unpack it: ${xz.stderr.toString().trim()}`)
    return xz.stdout
  }
  if (raw.length >= 2 && raw.readUInt16BE(0) === 0x1f8b) return gunzipSync(raw)
  if (raw.length >= 4 && raw.readUInt32LE(0) === 0xfd2fb528) return zstdDecompressSync(raw)
  return file.endsWith('.br') ? brotliDecompressSync(raw) : raw
}

/** First bytes of files that are no traces, whatever else they are. */
const FOREIGN: readonly (readonly [start: string, what: string])[] = [
  ['PK\x03\x04', 'a zip archive'],
  ['\x89PNG', 'a picture'],
  ['\xff\xd8\xff', 'a picture'],
  ['%PDF', 'a PDF'],
  ['\x7fELF', 'a program'],
  ['PAR1', 'Parquet'],
  ['SQLite format', 'a database'],
  ['BZh', 'packed by bzip2'],
  ['\xff\xfe', 'UTF-16'],
  ['\xfe\xff', 'UTF-16'],
]
const MAX_KEY = 8192

/**
 * By the first 4 KiB: control bytes mean int32; then the look of the first full lines.
 *
 * @throws Error saying what is understood
 */
function detect(file: string, bytes: Buffer): Format {
  const head = bytes.subarray(0, 4096)
  const text = head.toString('latin1').replace(/^\xef\xbb\xbf/, '')
  const refuse = (what: string): Error =>
    new Error(`${file}: ${what}; understood are ${FORMATS.slice(1).join(', ')}, plain or packed by xz, gzip, zstd or brotli`)
  const foreign = FOREIGN.find(([start]) => text.startsWith(start))
  if (foreign !== undefined) throw refuse(`it is ${foreign[1]}`)
  if (head.some((byte) => byte < 9 || (byte > 13 && byte < 32 && byte !== 27))) {
    if (bytes.length % 4 === 0) return 'int32'
    throw refuse(`it is binary, and ${bytes.length} bytes are no whole number of 32-bit keys`)
  }
  const lines = text
    .split(/\r?\n/)
    .slice(0, 20)
    .filter((line) => line.trim() !== '')
  if (lines.length === 0) throw refuse('it is empty')
  const full = lines.length > 1 && bytes.length > head.length ? lines.slice(0, -1) : lines
  const most = (test: RegExp): boolean => full.filter((line) => test.test(line)).length * 2 > full.length
  if (most(CLF)) return 'clf'
  if (most(/^\s*\{.*\}\s*$/)) return 'json'
  if (/^\s*[[{<]/.test(text))
    throw refuse(text.trimStart().startsWith('<') ? 'it is markup' : 'it is JSON, but not one object a line')
  if (most(ADAPTSIZE)) return 'adaptsize'
  if (most(/\t/)) return 'tsv'
  if (most(/^[^,\s][^,]*(,[^,]*)+$/)) return 'csv'
  if (full.every((line) => line.length < MAX_KEY) && most(/^\s*\S+\s*$/)) return 'text'
  throw refuse('its lines are neither requests nor keys')
}

const CLF = /^(\S+) \S+ .*?\[([^\]]*)\] "(\S+) (\S+)[^"]*" (\d{3}) (\d+|-)/
const ADAPTSIZE = /^(\d+)[ \t]+(\S+)[ \t]+(\d+)\s*$/

function readInt32(bytes: Buffer): Trace {
  const count = bytes.length >>> 2
  const ids = new Int32Array(count)
  const known = new Map<number, number>()
  for (let i = 0; i < count; i += 1) ids[i] = idOf(known, bytes.readInt32BE(i * 4))
  return { ids, distinct: known.size, sizes: undefined, ...UNTOLD, format: 'int32', skipped: bytes.length % 4 === 0 ? 0 : 1 }
}

function readLines(text: string, format: Format, all: boolean): Trace {
  const lines = text.replace(/^\xef\xbb\xbf/, '').split(/\r?\n/)
  const parse = parserOf(lines, format, all)
  const requests: Request[] = []
  let skipped = 0
  for (const line of lines) {
    if (line === '') continue
    const request = parse(line)
    if (request === undefined) skipped += 1
    else requests.push(request)
  }
  if (requests.some((request) => request.at !== 0)) requests.sort((a, b) => a.at - b.at) // stable
  const known = new Map<string, number>()
  const ids = Int32Array.from(requests, (request) => idOf(known, request.key))
  const sized = requests.length > 0 && requests.every((request) => request.size >= 0)
  const sizes = sized ? Int32Array.from(requests, (request) => request.size) : undefined
  return { ids, distinct: known.size, sizes, ...tellOf(requests), names: [...known.keys()], format, skipped }
}

const UNTOLD = { atMs: undefined, clients: undefined, names: [] } as const

/** Times count in seconds, or in ms, µs or ns where they are too large for that. */
function tellOf(requests: readonly Request[]): Pick<Trace, 'atMs' | 'clients'> {
  const first = requests[0]?.at ?? 0
  const unit = first > 1e17 ? 1e-6 : first > 1e14 ? 1e-3 : first > 1e11 ? 1 : 1000
  const isTimed = requests.some(({ at }) => at !== first)
  const known = new Map<string, number>()
  return {
    atMs: isTimed ? Float64Array.from(requests, ({ at }) => (at - first) * unit) : undefined,
    clients: requests.some(({ client }) => client !== '')
      ? Int32Array.from(requests, ({ client }) => idOf(known, client))
      : undefined,
  }
}

function parserOf(lines: string[], format: Format, all: boolean): LineParser {
  switch (format) {
    case 'clf':
      return (line) => parseClf(line, all)
    case 'adaptsize':
      return parseAdaptSize
    case 'tsv':
      return columnParser(lines, '\t', all)
    case 'csv':
      return columnParser(lines, ',', all)
    case 'json':
      return jsonParser(all)
    default:
      return (line) => ({ key: line.trim(), size: -1, at: 0, client: '' })
  }
}

function parseClf(line: string, all: boolean): Request | undefined {
  const match = CLF.exec(line)
  if (match === null) return undefined
  const [, client = '', time = '', method = '', target = '', status = '', bytes = ''] = match
  if (!all && !isCacheable(method, status)) return undefined
  return { key: target, size: bytes === '-' ? 0 : Number(bytes), at: parseLogTime(time), client }
}

function parseAdaptSize(line: string): Request | undefined {
  const match = ADAPTSIZE.exec(line)
  return match === null ? undefined : { key: match[2] as string, size: Number(match[3]), at: 0, client: '' }
}

/** `17/May/2015:10:05:03 +0000` in epoch ms; 0 when unreadable. */
function parseLogTime(text: string): number {
  const at = Date.parse(text.replace(/^(\d+)\/(\w+)\/(\d+):/, '$1 $2 $3 '))
  return Number.isNaN(at) ? 0 : at
}

function idOf<K>(known: Map<K, number>, key: K): number {
  let id = known.get(key)
  if (id === undefined) {
    id = known.size
    known.set(key, id)
  }
  return id
}
