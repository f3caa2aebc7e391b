/**
 * `forecache analyze` alone in this process, over a made log that is written to its standard input as fast as it reads; prints how
 * long it took and the most memory it held.
 *
 * Usage: node child.ts <lines> <seed> <combined|json|bare>; `bare` leaves the reading of lines out.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { analyze } from '../../src/advice/analysis.ts'
import { Intake } from '../../src/advice/intake.ts'
import { runCli } from '../../src/cli/main.ts'
import { combinedLine, jsonLine } from '../../test/support/known-log.ts'
import { makeLog } from './made-log.ts'

const [linesGiven = '1000000', seed = '1', form = 'combined'] = process.argv.slice(2)
const lines = Number(linesGiven)
const log = makeLog({ seed: Number(seed), lines, isRich: form !== 'combined' })
const CHUNK = 2000

/** @returns its size, bytes */
async function write(path: string): Promise<number> {
  const spell = form === 'json' ? jsonLine : combinedLine
  const file = await open(path, 'w')
  let [bytes, waiting] = [0, [] as string[]]
  const flush = async (): Promise<void> => {
    const chunk = Buffer.from(waiting.join(''))
    bytes += chunk.length
    waiting = []
    await file.write(chunk)
  }
  for (const access of log.requests()) {
    waiting.push(`${spell(access)}\n`)
    if (waiting.length >= CHUNK) await flush()
  }
  await flush()
  await file.close()
  return bytes
}

let told = 0
const io = { out: () => {}, err: (line: string) => void (told += / lines, /.test(line) ? 1 : 0) }

async function read(path: string): Promise<void> {
  const code = await runCli(['analyze', path, '--json'], io)
  if (code !== 0) throw new Error(`analyze ended with ${code}`)
}

function take(): void {
  const intake = new Intake()
  for (const access of log.requests()) intake.take(access)
  analyze(intake.end(), { source: 'made', skippedLines: 0, origin: 'http://127.0.0.1:3000' })
}

const folder = mkdtempSync(join(tmpdir(), 'forecache-analyze-'))
const path = join(folder, 'access.log')
const bytes = form === 'bare' ? 0 : await write(path)
const beganAt = performance.now()
const used = process.cpuUsage()
if (form === 'bare') take()
else await read(path)
const { user, system } = process.cpuUsage(used)
rmSync(folder, { recursive: true })
const seconds = (performance.now() - beganAt) / 1000
const result = {
  lines,
  form,
  bytes,
  seconds,
  cpuSeconds: (user + system) / 1e6,
  told,
  peakBytes: process.resourceUsage().maxRSS * 1024,
}
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0))
