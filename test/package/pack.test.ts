import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }

const ROOT = resolve(import.meta.dirname, '../..')

/** A user's project with the packed package installed, and its dependencies linked instead of fetched. */
let project = ''

beforeAll(() => {
  project = mkdtempSync(join(realpathSync(tmpdir()), 'forecache-packed-'))
  const packed = run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', project], ROOT)
  const [{ filename }] = JSON.parse(packed) as [{ filename: string }]
  const home = join(project, 'node_modules/forecache')
  mkdirSync(home, { recursive: true })
  run('tar', ['-xzf', join(project, filename), '-C', home, '--strip-components=1'], project)
  for (const name of Object.keys(manifest.dependencies)) {
    mkdirSync(join(project, 'node_modules', name, '..'), { recursive: true })
    symlinkSync(join(ROOT, 'node_modules', name), join(project, 'node_modules', name))
  }
  writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module', private: true }))
})

afterAll(() => rmSync(project, { recursive: true, force: true }))

function run(file: string, args: readonly string[], cwd: string): string {
  return execFileSync(file, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 50_000 })
}

describe('the packed package', () => {
  it('holds the build, the command and the papers, no sources and no tests', () => {
    const home = join(project, 'node_modules/forecache')
    const files = readdirSync(home, { recursive: true, encoding: 'utf8', withFileTypes: true }).filter((one) => one.isFile())
    const tops = new Set(
      files.map(
        (one) =>
          join(one.parentPath, one.name)
            .slice(home.length + 1)
            .split('/')[0],
      ),
    )

    expect([...tops].sort()).toEqual(['LICENSE', 'README.md', 'bin', 'dist', 'package.json'])
    expect(files.filter((one) => one.name.endsWith('.ts') && !one.name.endsWith('.d.ts'))).toEqual([])
    expect(files.filter((one) => /\.(?:test|spec)\./.test(one.name))).toEqual([])
  })

  it('works as a library in another project', () => {
    writeFileSync(
      join(project, 'app.js'),
      `import { createCache } from 'forecache'
       const cache = createCache()
       const first = await cache.fetch('k', async () => 'v')
       const second = await cache.fetch('k', async () => 'other')
       console.log(JSON.stringify([first.data, first.cached, second.data, second.cached]))
       await cache.close()`,
    )

    expect(JSON.parse(run(process.execPath, ['app.js'], project))).toEqual(['v', false, 'v', true])
  })

  it('has a command that says what it can do', () => {
    const help = run(process.execPath, ['node_modules/forecache/bin/forecache.js', '--help'], project)

    for (const command of ['serve', 'demo', 'check', 'purge', 'explain', 'stats', 'bench'])
      expect(help).toContain(`  ${command} `)
  })

  it('carries the version of the manifest', () => {
    expect(run(process.execPath, ['node_modules/forecache/bin/forecache.js', '--version'], project).trim()).toBe(manifest.version)
  })
})
