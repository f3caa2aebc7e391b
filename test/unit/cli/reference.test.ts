import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { runCli } from '../../../src/cli/main.ts'
import { captureIo } from '../../support/captured-io.ts'

const PAGE = readFileSync(new URL('../../../docs/reference/cli.md', import.meta.url), 'utf8')

async function help(...argv: string[]): Promise<string> {
  const io = captureIo()
  await runCli([...argv, '--help'], io)
  return io.outLines.join('\n')
}

describe('docs/reference/cli.md', () => {
  it('names every command and every flag that help names', async () => {
    const commands = [...(await help()).matchAll(/^ {2}([a-z]+) /gm)]
      .map((match) => match[1] as string)
      .filter((name) => name !== 'help')
    const missing: string[] = []
    for (const command of commands) {
      if (!new RegExp(`^## ${command}\\b`, 'm').test(PAGE)) missing.push(command)
      for (const [flag] of (await help(command)).matchAll(/--[a-z][a-z-]+/g)) {
        if (flag !== '--help' && !PAGE.includes(flag)) missing.push(`${command} ${flag}`)
      }
    }

    expect(commands.length).toBe(10)
    expect(missing).toEqual([])
  })
})
