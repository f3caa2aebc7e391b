/**
 * The programs that a comparison needs: found in the path, else installed from Debian where that is possible.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)
const INSTALL_MS = 300_000

/** A program and the package that brings it. */
export interface Program {
  readonly command: string
  readonly package: string
}

/** @returns what is still missing afterwards */
export async function install(programs: readonly Program[], say: (line: string) => void): Promise<Program[]> {
  const missing = await missingOf(programs)
  if (missing.length === 0) return []
  const names = [...new Set(missing.map((one) => one.package))]
  if (process.getuid?.() !== 0 || !(await isThere('apt-get'))) {
    say(`missing ${missing.map((one) => one.command).join(', ')}: install ${names.join(' ')} (as root, apt-get would be used)`)
    return missing
  }
  say(`installing ${names.join(' ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' } // no service is started
  try {
    await execute('apt-get', ['update'], { timeout: INSTALL_MS, env })
    await execute('apt-get', ['install', '-y', '--no-install-recommends', ...names], { timeout: INSTALL_MS, env })
  } catch (error) {
    say(`could not install ${names.join(' ')}: ${(error as Error).message.split('\n')[0]}`)
  }
  return missingOf(programs)
}

/** What a program calls itself and its version; empty when it does not tell. */
export async function versionOf({ command }: Program): Promise<string> {
  for (const flag of ['-v', '-V']) {
    const said = await execute(command, [flag]).then(
      ({ stdout, stderr }) => stdout + stderr,
      (error: { stdout?: string; stderr?: string }) => (error.stdout ?? '') + (error.stderr ?? ''),
    )
    const found = /(\d+\.\d+[\w.+~-]*)/.exec(said)?.[1]
    if (found !== undefined) return `${command} ${found}`
  }
  return ''
}

async function missingOf(programs: readonly Program[]): Promise<Program[]> {
  const found = await Promise.all(programs.map((one) => isThere(one.command)))
  return programs.filter((_, index) => !found[index])
}

function isThere(command: string): Promise<boolean> {
  return execute('sh', ['-c', `command -v ${command}`]).then(
    () => true,
    () => false,
  )
}
