/**
 * The wall clock of a process, to be set while it runs: a small library before libc, compiled where there is a compiler.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

let library: string | undefined

/** @returns why clocks cannot be set here; undefined: they can */
export function whyNoClocks(): string | undefined {
  return compiled() === '' ? 'needs cc, to stand between a process and its clock' : undefined
}

/** @param file says by how much the clock is set, seconds; written by `setClock` @returns environment of the process */
export function clockEnv(file: string): Record<string, string> {
  if (compiled() === '') return {}
  setClock(file, 0)
  return { LD_PRELOAD: compiled(), CHAOS_CLOCK: file }
}

/** Holds from now on. */
export function setClock(file: string, seconds: number): void {
  writeFileSync(file, String(seconds))
}

function compiled(): string {
  if (library !== undefined) return library
  const folder = mkdtempSync(join(tmpdir(), 'forecache-wall-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const made = join(folder, 'wall.so')
  spawnSync('cc', ['-shared', '-fPIC', '-O1', '-o', made, join(import.meta.dirname, 'wall.c')], { stdio: 'ignore' })
  library = existsSync(made) ? made : ''
  return library
}
