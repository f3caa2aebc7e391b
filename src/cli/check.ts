/**
 * `forecache check FILE`: reads a configuration as `serve` would and names the first mistake with its place.
 *
 * Floor 6, room cli. The file alone is judged, with the certificates it names: no environment, no flags.
 */
import { ForecacheError } from '../model/errors.ts'
import { readConfig } from '../server/config.ts'
import type { Config } from '../server/config-schema.ts'
import { readOriginTls } from '../server/origin-tls.ts'
import { readCredentials } from '../server/tls-credentials.ts'
import type { Io } from './io.ts'

/** @returns 0 when the file is good, else 1 */
export async function runCheck(file: string, json: boolean, io: Io): Promise<number> {
  try {
    const config = readConfig(file)
    const names = config.routes.map((route) => route.name)
    const warnings = checkCertificates(config)
    for (const warning of warnings) if (!json) io.err(`warning: ${warning}`)
    const found = { file, good: true, routes: names, ...(warnings.length > 0 && { warnings }) }
    io.out(json ? JSON.stringify(found) : `${file}: good; ${describeRoutes(names)}`)
    return 0
  } catch (error) {
    if (!(error instanceof ForecacheError)) throw error
    const { line, column, reason } = error.detail
    if (json) io.out(JSON.stringify({ file, good: false, code: error.code, line, column, reason: reason ?? error.message }))
    else io.err(`error: ${error.message}`)
    return 1
  }
}

/** @returns what is about to go wrong with them @throws FC_TLS_* */
function checkCertificates({ tls, api, origin }: Config): string[] {
  if (origin !== undefined) readOriginTls(origin.tls, new URL(origin.url))
  const ports = [tls && readCredentials(tls, 'tls'), api.tls && readCredentials(api.tls, 'api.tls')]
  return ports.flatMap((port) => port?.warnings(Date.now()) ?? [])
}

function describeRoutes(names: readonly string[]): string {
  if (names.length === 0) return 'no route policies'
  return `${names.length} route ${names.length === 1 ? 'policy' : 'policies'}: ${names.join(', ')}`
}
