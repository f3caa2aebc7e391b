#!/usr/bin/env node
/**
 * The command `forecache`: in a checkout it runs src/*.ts as it is, installed it runs dist.
 *
 * Written in the syntax of any Node that knows modules, so that a too old one gets a sentence instead of a stack.
 */
import { existsSync } from 'node:fs'

const MIN = [22, 19]
const given = process.versions.node.split('.').map(Number)

if (given[0] < MIN[0] || (given[0] === MIN[0] && given[1] < MIN[1])) {
  process.stderr.write(
    'forecache needs Node ' +
      MIN.join('.') +
      ' or newer, this is ' +
      process.versions.node +
      ' (' +
      process.execPath +
      ').\n' +
      'In a checkout, `npm ci` brings one along: use `npm start`, `npx forecache` or `npm run`.\n',
  )
  process.exitCode = 1
} else if (mustBeginAgain()) {
  beginAgain()
} else {
  run()
}

async function run() {
  const source = new URL('../src/cli/main.ts', import.meta.url)
  const main = existsSync(source) ? source : new URL('../dist/cli/main.js', import.meta.url)
  const { runCli, PROCESS_IO } = await import(main.href)
  const code = await runCli(process.argv.slice(2), PROCESS_IO)
  // At once, when everything is told: a process that is left to run out has been seen to turn for ever in node's own clean-up.
  process.stdout.write('', () => process.exit(code))
}

/** Whether this is a gateway that may still be given the memory settings which only the start of a process takes. */
function mustBeginAgain() {
  return (
    process.argv[2] === 'serve' &&
    process.env.MALLOC_TRIM_THRESHOLD_ === undefined && // set by us, or by whoever knows better
    process.platform === 'linux' &&
    typeof process.execve === 'function' &&
    !process.connected // another program would not have the channel to the parent
  )
}

/**
 * The same process begins again as itself: new space of V8 small, and an allocator that gives back what it was given.
 * glibc otherwise keeps bodies that were freed, and both together twice what lives: see docs/decisions/011.
 */
function beginAgain() {
  const sized = [...process.execArgv, process.env.NODE_OPTIONS || ''].some((given) => given.includes('semi-space-size'))
  const flags = sized ? process.execArgv : [...process.execArgv, '--max-semi-space-size=4']
  process.execve(process.execPath, [process.execPath, ...flags, ...process.argv.slice(1)], {
    ...process.env,
    MALLOC_TRIM_THRESHOLD_: '2097152',
    MALLOC_MMAP_THRESHOLD_: '131072',
  })
}
