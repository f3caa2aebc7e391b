/**
 * Programs that tests run against and npm does not bring: installed from Debian's packages where they are missing and this
 * process may do so. Where it may not, the tests that need one say what to install.
 */
import { spawnSync } from 'node:child_process'

interface Server {
  readonly what: string
  /** Any of these programs will do. */
  readonly programs: readonly string[]
  /** How one is asked whether it is there; default `--version`. */
  readonly asks?: readonly string[]
  /** Packages that bring one, the first that exists is taken. */
  readonly packages: readonly string[]
}

const SERVERS: readonly Server[] = [
  { what: 'NATS', programs: ['nats-server'], packages: ['nats-server'] },
  { what: 'Redis', programs: ['redis-server', 'valkey-server'], packages: ['redis-server', 'valkey-server'] },
  { what: "Redis's tools", programs: ['redis-cli'], packages: ['redis-tools'] },
  { what: 'redis-py', programs: ['/usr/bin/python3', 'python3'], asks: ['-c', 'import redis'], packages: ['python3-redis'] },
  { what: 'Chromium', programs: ['chromium', 'chromium-browser', 'google-chrome'], packages: ['chromium'] },
]

const INSTALL_DEADLINE_MS = 180_000

/** @returns what is still missing, for people */
export function installServers(): readonly string[] {
  const missing = SERVERS.filter((server) => !isThere(server))
  if (missing.length === 0) return []
  if (process.getuid?.() === 0 && run('apt-get', ['--version'])) {
    run('apt-get', ['update', '-q'])
    for (const { packages } of missing)
      packages.some((name) => run('apt-get', ['install', '-yq', '--no-install-recommends', name]))
  }
  return missing.filter((server) => !isThere(server)).map(({ what, packages }) => `${what}: apt-get install ${packages[0]}`)
}

function isThere({ programs, asks = ['--version'] }: Server): boolean {
  return programs.some((name) => spawnSync(name, asks, { stdio: 'ignore' }).status === 0)
}

function run(file: string, args: readonly string[]): boolean {
  // No daemon is started by the package: tests start their own, on free ports.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  return spawnSync(file, args, { env, stdio: ['ignore', 'ignore', 'inherit'], timeout: INSTALL_DEADLINE_MS }).status === 0
}
