/**
 * Builds the package: an empty dist, the compiler, and whatever static files src ships beside its code.
 *
 * Usage: node tools/build.ts
 */
import { spawnSync } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { listFiles, ROOT } from './source.ts'

rmSync(join(ROOT, 'dist'), { recursive: true, force: true })
const { status } = spawnSync(join(ROOT, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], { cwd: ROOT, stdio: 'inherit' })
for (const path of listFiles('src')) {
  if (!path.endsWith('.ts')) cpSync(join(ROOT, path), join(ROOT, 'dist', path.slice('src/'.length)))
}
process.exitCode = status ?? 1
