import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import floors from '../../floors.json' with { type: 'json' }

const ROOT = resolve(import.meta.dirname, '../..')

/** What each subpath exports at run time: changing this list is a change of the public contract. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  '.': ['Cache', 'ForecacheError', 'createCache', 'digestKey', 'normalizeKey'],
  './express': ['forecache'],
  './fastify': ['forecache'],
  './hono': ['forecache'],
  './koa': ['forecache'],
  './node': ['forecache'],
  './fetch': ['forecache'],
  './gateway': ['ForecacheError', 'createGateway', 'parseConfig'],
  './redis': ['ForecacheError', 'stats', 'wrap'],
  './register': [],
  './testing': [
    ...['FAULTS', 'NoAnswer', 'VirtualClock', 'checkHistory', 'createRandom', 'createVirtualClock', 'createWorld'],
    ...['explore', 'replay', 'settle'],
  ],
}

interface Target {
  readonly types: string
  readonly default: string
}

const subpaths = Object.entries(manifest.exports).filter((one): one is [string, Target] => typeof one[1] === 'object')

describe('exports of the built package', () => {
  it('has the subpaths of the contract and no other', () => {
    expect(subpaths.map(([subpath]) => subpath)).toEqual(Object.keys(NAMES))
  })

  it.each(subpaths)('%s exports the names of the contract, with types', async (subpath, target) => {
    const module = (await import(pathToFileURL(join(ROOT, target.default)).href)) as object

    expect(Object.keys(module).sort()).toEqual(NAMES[subpath])
    expect(existsSync(join(ROOT, target.types))).toBe(true)
  })

  it.each(subpaths.map(([, target]) => target.default))('%s loads no optional peer', (path) => {
    const loaded = [...reachable(join(ROOT, path))].flatMap((file) => bareImports(file))

    expect(loaded.filter((name) => Object.hasOwn(manifest.peerDependencies, packageOf(name)))).toEqual([])
  })

  it('imports only what it depends on', () => {
    const known = new Set(Object.keys(manifest.dependencies))
    const peers = new Set(Object.keys(manifest.peerDependencies))
    for (const file of listJs(join(ROOT, 'dist'))) {
      for (const name of bareImports(file))
        expect(known.has(packageOf(name)) || peers.has(packageOf(name)), `${file}: ${name}`).toBe(true)
    }
  })

  it('ships every room, and nothing that is no room', () => {
    const rooms = readdirSync(join(ROOT, 'dist'))

    expect(rooms.filter((room) => !Object.hasOwn(floors, room))).toEqual([])
  })
})

/** Files reached by static imports. */
function reachable(entry: string, seen = new Set<string>()): Set<string> {
  if (seen.has(entry)) return seen
  seen.add(entry)
  for (const [, specifier] of importsOf(entry)) if (specifier?.startsWith('.')) reachable(resolve(entry, '..', specifier), seen)
  return seen
}

function bareImports(file: string): string[] {
  return importsOf(file)
    .map(([, specifier]) => specifier as string)
    .filter((name) => !name.startsWith('.') && !name.startsWith('node:'))
}

function importsOf(file: string): RegExpMatchArray[] {
  return [...readFileSync(file, 'utf8').matchAll(/^(?:import|export)\s(?:[^'"`;=()]*?\sfrom\s+)?['"]([^'"]+)['"]/gm)]
}

function packageOf(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/')
}

function listJs(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.js'))
    .map((path) => join(folder, path))
}
