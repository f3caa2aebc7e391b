/**
 * What a comparison takes: servers before the same origin, each started on the servers' core and ended again.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../../test/support/server-process.ts'
import { type Pinned, SERVER_CORE, startPinned } from '../rig/pinned.ts'

/** What starting takes. */
export interface PeerStart {
  readonly originPort: number
  /** A directory of this run, removed behind it; on a disk as the system has it. */
  readonly directory: string
  /** The same in memory, where the system offers that. */
  readonly memory: string
}

/** A started server. */
export interface PeerServer {
  readonly process: Pinned
  readonly port: number
  /** Path before `/BYTES/`; the native cache API's own. Default: none. */
  readonly prefix?: string
  /** Puts something there for a path where nothing fills it by itself. @returns false where the server has no such thing */
  readonly store?: (key: string, body: string) => Promise<boolean>
}

/** One of the servers under comparison. */
export interface Peer {
  readonly name: string
  /** Command that must be in the path, and the Debian package that brings it; undefined: Node alone. */
  readonly needs?: { readonly command: string; readonly package: string }
  /** What its answer says when it came from its cache; undefined: it has none to miss. */
  readonly hit?: (fields: Headers) => boolean
  /** Whether it takes part where answers are compressed. */
  readonly compresses?: boolean
  /** Left out of tables with more than one key: it answers one and the same bytes. */
  readonly oneKey?: boolean
  start(given: PeerStart): Promise<PeerServer>
}

/** A directory of its own for a peer. */
export function roomOf(base: string, name: string): string {
  const path = join(base, name.replaceAll(/[^a-z0-9]+/gi, '-'))
  mkdirSync(path, { recursive: true, mode: 0o755 })
  return path
}

/** Starts a program that is told its port. */
export async function startOn(name: string, commandOf: (port: number) => readonly string[]): Promise<PeerServer> {
  const port = await freePort()
  const process = startPinned({ name, core: SERVER_CORE, command: commandOf(port) })
  await process.takes(port)
  return { process, port }
}
