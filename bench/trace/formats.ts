/**
 * Reads request traces of several formats into dense integers.
 *
 * Formats (auto-detected unless named):
 * - `int32`      one big-endian 32-bit key per request, nothing else (cache2k's traces; `web07` and `orm` are synonyms)
 * - `tsv`        tab-separated with a header naming a column `url`, `key`, `id`, `obj_id` or `path`; `method`, `response` or
 *                `status`, `time` and `bytes` or `size` are understood
 * - `clf`        common or combined log format; the key is the request target
 * - `adaptsize`  ordinal, id, size in bytes, separated by spaces
 * - `csv`        key[,size] per line; with a header as for tsv also any order of columns
 * - `text`       one key per line
 * Access logs (clf, and tsv with methods) are read as a cache sees them: only GET answered with 200 or 304 unless `all`
 * is asked for, in order of their time stamps. Files ending in .xz, .gz, .br or .zst are unpacked.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'

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

export const FORMATS = ['auto', 'int32', 'tsv', 'clf', 'adaptsize', 'csv', 'text'] as const
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
  const chosen = format === 'auto' ? detect(bytes) : format
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

/** By the first 4 KiB: control bytes mean int32; then the look of the first full lines. */
function detect(bytes: Buffer): Format {
  const head = bytes.subarray(0, 4096)
  const isBinary = head.some((byte) => byte < 9 || (byte > 13 && byte < 32 && byte !== 27))
  if (isBinary) return 'int32'
  const lines = head
    .toString('latin1')
    .split(/\r?\n/)
    .slice(0, 20)
    .filter((line) => line !== '')
  const full = lines.length > 1 && bytes.length > head.length ? lines.slice(0, -1) : lines
  const most = (test: RegExp): boolean => full.filter((line) => test.test(line)).length * 2 > full.length
  if (most(CLF)) return 'clf'
  if (most(ADAPTSIZE)) return 'adaptsize'
  if (most(/\t/)) return 'tsv'
  if (most(/^[^,\s][^,]*(,[^,]*)+$/)) return 'csv'
  return 'text'
}

const CLF = /^(\S+) \S+ .*?\[([^\]]*)\] "(\S+) (\S+)[^"]*" (\d{3}) (\d+|-)/
const ADAPTSIZE = /^(\d+)[ \t]+(\S+)[ \t]+(\d+)\s*$/

interface Request {
  readonly key: string
  readonly size: number
  readonly at: number
  readonly client: string
}

function readInt32(bytes: Buffer): Trace {
  const count = bytes.length >>> 2
  const ids = new Int32Array(count)
  const known = new Map<number, number>()
  for (let i = 0; i < count; i += 1) ids[i] = idOf(known, bytes.readInt32BE(i * 4))
  return { ids, distinct: known.size, sizes: undefined, ...UNTOLD, format: 'int32', skipped: bytes.length % 4 === 0 ? 0 : 1 }
}

function readLines(text: string, format: Format, all: boolean): Trace {
  const lines = text.split(/\r?\n/)
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

/** Times count in seconds, or in ms where they are too large for that. */
function tellOf(requests: readonly Request[]): Pick<Trace, 'atMs' | 'clients'> {
  const first = requests[0]?.at ?? 0
  const unit = first > 1e11 ? 1 : 1000
  const isTimed = requests.some(({ at }) => at !== first)
  const known = new Map<string, number>()
  return {
    atMs: isTimed ? Float64Array.from(requests, ({ at }) => (at - first) * unit) : undefined,
    clients: requests.some(({ client }) => client !== '')
      ? Int32Array.from(requests, ({ client }) => idOf(known, client))
      : undefined,
  }
}

type LineParser = (line: string) => Request | undefined

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

/** Columns by the names of a header line, which it removes; without one the first is the key, a second the size. */
function columnParser(lines: string[], separator: string, all: boolean): LineParser {
  const header = (lines[0] ?? '')
    .toLowerCase()
    .split(separator)
    .map((name) => name.trim())
  const column = (...names: string[]): number => header.findIndex((name) => names.includes(name))
  const key = column('url', 'key', 'id', 'obj_id', 'object', 'path', 'uri')
  if (key >= 0) lines.shift()
  const at =
    key < 0
      ? { key: 0, size: 1, time: -1, method: -1, status: -1, client: -1 }
      : {
          key,
          size: column('bytes', 'size', 'obj_size'),
          time: column('time', 'timestamp'),
          method: column('method'),
          status: column('response', 'status'),
          client: column('host', 'client', 'session', 'user'),
        }
  return (line) => {
    const cells = line.split(separator)
    const name = cells[at.key]
    if (name === undefined || name === '') return undefined
    if (!all && at.method >= 0 && at.status >= 0 && !isCacheable(cells[at.method] ?? '', cells[at.status] ?? '')) return undefined
    const size = Number.parseInt(cells[at.size] ?? '', 10)
    const time = Number(cells[at.time] ?? 0)
    return { key: name, size: Number.isNaN(size) ? -1 : size, at: Number.isNaN(time) ? 0 : time, client: cells[at.client] ?? '' }
  }
}

function isCacheable(method: string, status: string): boolean {
  return method === 'GET' && (status === '200' || status === '304')
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
