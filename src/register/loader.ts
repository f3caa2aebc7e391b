/**
 * Has the clients' modules tell us of themselves when they are loaded, by require and by import, in whichever copy.
 *
 * Floor 5, room register. One line is put behind the source of one file of each client; it calls back with the module's
 * exports, synchronously, before anybody else sees them. Anything unexpected there is caught: the module is what it would be.
 */
import { readFileSync } from 'node:fs'
import module from 'node:module'
import { fileURLToPath } from 'node:url'

/** A client's library, as it was loaded. */
export interface Loaded {
  readonly library: 'ioredis' | '@redis/client'
  readonly version: string
  readonly exports: Readonly<Record<string, unknown>>
}

/** Which file of which package, and how far up from there its package.json lies. */
const FILES = [
  { pattern: /\/built\/Redis\.js$/, library: 'ioredis', up: '../package.json' },
  { pattern: /\/dist\/lib\/client\/index\.js$/, library: '@redis/client', up: '../../../package.json' },
] as const

/** Where the appended line calls. */
const SLOT = 'forecache.register'

/** @returns false where this Node has no synchronous hooks (before 22.15 and 23.5) */
export function watchModules(loaded: (library: Loaded) => void, warn: (text: string) => void): boolean {
  if (typeof module.registerHooks !== 'function') return false
  Object.defineProperty(globalThis, Symbol.for(SLOT), {
    value: (name: Loaded['library'], version: string, exports: Loaded['exports']) => {
      try {
        loaded({ library: name, version, exports })
      } catch (error) {
        warn(`${name} ${version} is left alone: ${error instanceof Error ? error.message : String(error)}`)
      }
    },
  })
  module.registerHooks({
    load: (url, context, nextLoad) => {
      const result = nextLoad(url, context)
      const file = FILES.find(({ pattern }) => pattern.test(url))
      if (file === undefined || (result.format !== 'commonjs' && result.format !== undefined && result.format !== null))
        return result
      const version = versionOf(url, file)
      if (version === undefined) return result
      const source = sourceOf(result.source) ?? readFileSync(fileURLToPath(url), 'utf8')
      return { ...result, source: source + tail(file.library, version) }
    },
  })
  return true
}

/** Behind a line end: the last line of a source may be a comment. */
function tail(library: string, version: string): string {
  return `\n;globalThis[Symbol.for(${JSON.stringify(SLOT)})]?.(${JSON.stringify(library)}, ${JSON.stringify(version)}, exports);\n`
}

/** @returns undefined where the file is of another package */
function versionOf(url: string, { library, up }: (typeof FILES)[number]): string | undefined {
  try {
    const manifest = JSON.parse(readFileSync(new URL(up, url), 'utf8')) as { name?: unknown; version?: unknown }
    return manifest.name === library && typeof manifest.version === 'string' ? manifest.version : undefined
  } catch {
    return undefined
  }
}

function sourceOf(source: unknown): string | undefined {
  if (typeof source === 'string') return source
  return source instanceof Uint8Array || source instanceof ArrayBuffer
    ? Buffer.from(source as Uint8Array).toString('utf8')
    : undefined
}
