/**
 * `forecache analyze LOG`: what a log says of keys, windows and memory, and the configuration that follows.
 *
 * Floor 6, room cli. The log is read once, as a stream; progress goes to standard error. Lines that cannot be read are counted.
 */
import { writeFile } from 'node:fs/promises'
import type { ReadLine } from '../advice/access.ts'
import { analyze } from '../advice/analysis.ts'
import { Intake } from '../advice/intake.ts'
import { drawPage } from '../advice/page.ts'
import { createClfReader } from '../advice/read-clf.ts'
import { createJsonReader } from '../advice/read-json.ts'
import { ForecacheError } from '../model/errors.ts'
import { describeReport } from './analyze-text.ts'
import { readLogLines } from './analyze-lines.ts'
import { tapGateway } from './analyze-tap.ts'
import type { Io } from './io.ts'

/** Options of the command. */
export interface AnalyzeWish {
  /** Path of a log, `-` for standard input; undefined: a running gateway is listened to. */
  readonly log: string | undefined
  /** Its administration. */
  readonly url?: URL
  readonly apiKey?: string | undefined
  readonly forMs: number
  readonly format: 'auto' | 'combined' | 'json'
  readonly fields: Readonly<Record<string, string>>
  /** For the configuration. */
  readonly origin: string
  /** Files to write. */
  readonly out?: string
  readonly html?: string
  readonly json: boolean
}

const PROGRESS_MS = 2000
const MIB = 1024 * 1024

/** @returns the exit code @throws FC_CLI_USAGE, FC_CLI_FILE, FC_CLI_API */
export async function runAnalyze(wish: AnalyzeWish, io: Io): Promise<number> {
  if ((wish.log === undefined) === (wish.url === undefined))
    throw new ForecacheError('FC_CLI_USAGE', { reason: 'name either a log or a running gateway with --url' })
  const intake = new Intake()
  const source = wish.log ?? (wish.url as URL).href
  const skippedLines = wish.log === undefined ? await tap(wish, intake, io) : await readAll(wish, intake, io)
  if (intake.taken === 0) throw new ForecacheError('FC_CLI_FILE', { file: source, reason: describeEmpty(wish, skippedLines) })
  const report = analyze(intake.end(), { source, skippedLines, origin: wish.origin })
  if (wish.out !== undefined) await save(wish.out, report.config)
  if (wish.html !== undefined) await save(wish.html, drawPage(report))
  io.out(wish.json ? JSON.stringify(report) : describeReport(report, wish.out === undefined))
  for (const file of [wish.out, wish.html]) if (file !== undefined) io.err(`written: ${file}`)
  return 0
}

async function tap(wish: AnalyzeWish, intake: Intake, io: Io): Promise<number> {
  const { url, apiKey, forMs } = wish
  io.err(`listening to ${(url as URL).href} for ${forMs / 1000} s`)
  return await tapGateway({ url: url as URL, apiKey, forMs }, (access) => intake.take(access))
}

/** @returns lines that could not be read */
async function readAll({ log, format, fields }: AnalyzeWish, intake: Intake, io: Io): Promise<number> {
  const read = createReader(format, fields)
  let lines = 0
  let skipped = 0
  const beganAt = performance.now()
  let toldAt = beganAt
  await readLogLines(log as string, (line, progress) => {
    if (line === '') return
    lines += 1
    const access = read(line)
    if (access === undefined) skipped += 1
    else intake.take(access)
    if (lines % 4096 !== 0 || performance.now() - toldAt < PROGRESS_MS) return
    toldAt = performance.now()
    io.err(describeProgress(lines, progress, toldAt - beganAt))
  })
  if (lines > 0) io.err(describeProgress(lines, 1, performance.now() - beganAt))
  return skipped
}

/** By default each line is what it begins like: logs of several writers come together in one. */
function createReader(format: AnalyzeWish['format'], fields: AnalyzeWish['fields']): ReadLine {
  const [readJson, readClf] = [createJsonReader(fields), createClfReader()]
  if (format !== 'auto') return format === 'json' ? readJson : readClf
  return (line) => (line.trimStart().startsWith('{') ? readJson : readClf)(line)
}

function describeProgress(lines: number, share: number, ms: number): string {
  const rate = Math.round(lines / Math.max(1, ms / 1000)).toLocaleString('en')
  const percent = Number.isNaN(share) ? '' : `${(share * 100).toFixed(0)} %, `
  return `${percent}${lines.toLocaleString('en')} lines, ${rate} a second, ${Math.round(process.memoryUsage.rss() / MIB)} MiB`
}

function describeEmpty({ log }: AnalyzeWish, skipped: number): string {
  if (log === undefined) return 'nothing was asked of it in that time'
  return skipped === 0
    ? 'it is empty'
    : `none of its ${skipped} lines is a request with its time in the combined format or in JSON; name --format, or fields with --field`
}

async function save(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text)
  } catch (cause) {
    throw new ForecacheError('FC_CLI_FILE', { file, reason: cause instanceof Error ? cause.message : String(cause) }, { cause })
  }
}
