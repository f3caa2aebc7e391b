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
} else {
  run()
}

async function run() {
  const source = new URL('../src/cli/main.ts', import.meta.url)
  const main = existsSync(source) ? source : new URL('../dist/cli/main.js', import.meta.url)
  const { runCli, PROCESS_IO } = await import(main.href)
  process.exitCode = await runCli(process.argv.slice(2), PROCESS_IO)
}
