/**
 * What a process proves itself with to a NATS that wants more than a password: an nkey's seed, or a `.creds` file.
 *
 * Floor 2, room tier. A file, or the text itself; which of the two kinds it is, the text says. It is read at creation, so that what is no
 * use is told there, and again at each connection: a file that is written anew before its JWT ends needs no restart. Nothing of
 * it is ever put into an error.
 */
import { readFileSync } from 'node:fs'
import { ForecacheError } from '../model/errors.ts'

/** A seed proves an nkey; with a JWT, the user that the JWT names. */
export interface NatsCredentials {
  readonly seed: string
  readonly jwt: string | undefined
}

const SECTION = /-{3,}\s*BEGIN ([A-Z ]+?)\s*-{3,}\s+([\w.=-]+)\s+-{3,}\s*END/g
/** Of a user: prefix byte, kind, 32 bytes and a checksum in base32. */
const SEED = /^SU[A-Z2-7]{56}$/
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/

/**
 * @param given a file's name, or the text
 * @param name of the option in errors
 * @throws FC_LINK_CREDENTIALS
 */
export function readNatsCredentials(given: string, name = 'l2.bus.credentials'): NatsCredentials {
  const refuse = (reason: string, cause?: unknown): ForecacheError => {
    const file = isText(given) ? 'the text given' : given
    return new ForecacheError('FC_LINK_CREDENTIALS', { name, file, reason }, { cause })
  }
  let text = given
  if (!isText(given)) {
    try {
      text = readFileSync(given, 'latin1')
    } catch (error) {
      throw refuse(reasonOf(error), error)
    }
  }
  const bare = text.trim()
  if (SEED.test(bare)) return { seed: bare, jwt: undefined }
  const sections = new Map([...text.matchAll(SECTION)].map(([, kind, body]) => [kind as string, body as string]))
  const [jwt, seed] = [sections.get('NATS USER JWT'), sections.get('USER NKEY SEED')]
  if (jwt === undefined && seed === undefined) throw refuse('it holds neither a user JWT nor the seed of an nkey')
  if (seed === undefined || !SEED.test(seed)) throw refuse('it holds no seed of a user (SU…)')
  if (jwt === undefined || !JWT.test(jwt)) throw refuse('it holds no user JWT')
  return { seed, jwt }
}

function isText(given: string): boolean {
  return given.includes('-----BEGIN ') || SEED.test(given.trim())
}

function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES') return 'this process may not read it'
  return error instanceof Error ? error.message : String(error)
}
