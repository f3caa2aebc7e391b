/**
 * `forecache check FILE`: reads a configuration as `serve` would and names the first mistake with its place.
 *
 * Floor 6, room cli. The file alone is judged: no environment, no flags.
 */
import { ForecacheError } from '../model/errors.ts'
import { readConfig } from '../server/config.ts'
import type { Io } from './io.ts'

/** @returns 0 when the file is good, else 1 */
export async function runCheck(file: string, json: boolean, io: Io): Promise<number> {
  try {
    const { routes } = readConfig(file)
    const names = routes.map((route) => route.name)
    io.out(json ? JSON.stringify({ file, good: true, routes: names }) : `${file}: good; ${describeRoutes(names)}`)
    return 0
  } catch (error) {
    if (!(error instanceof ForecacheError)) throw error
    const { line, column, reason } = error.detail
    if (json) io.out(JSON.stringify({ file, good: false, code: error.code, line, column, reason: reason ?? error.message }))
    else io.err(`error: ${error.message}`)
    return 1
  }
}

function describeRoutes(names: readonly string[]): string {
  if (names.length === 0) return 'no route policies'
  return `${names.length} route ${names.length === 1 ? 'policy' : 'policies'}: ${names.join(', ')}`
}
