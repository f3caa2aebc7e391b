/**
 * An Io that remembers what a command printed.
 */
import type { Io } from '../../src/cli/io.ts'

/** Lines a command printed. */
export interface CapturedIo extends Io {
  readonly outLines: string[]
  readonly errLines: string[]
}

/** @returns an empty one */
export function captureIo(): CapturedIo {
  const outLines: string[] = []
  const errLines: string[] = []
  return { outLines, errLines, out: (line) => void outLines.push(line), err: (line) => void errLines.push(line) }
}
