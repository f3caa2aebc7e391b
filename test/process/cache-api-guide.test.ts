/** The commands of docs/guide/cache-api.md, run as they stand there against a running gateway. */
import { execFile, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { expect, it, onTestFinished } from 'vitest'
import { createGateway } from '../../src/entry/gateway.ts'

const GUIDE = readFileSync(new URL('../../docs/guide/cache-api.md', import.meta.url), 'utf8')
const BLOCK = /```(sh|text|python)\n([\s\S]*?)```/g
const run = promisify(execFile)

interface Example {
  readonly commands: string
  readonly output: string
}

/** Commands and the output printed below them, in order. */
function readExamples(): Example[] {
  const blocks = [...GUIDE.matchAll(BLOCK)].filter(([, kind]) => kind !== 'python')
  const examples: Example[] = []
  for (let i = 0; i < blocks.length; i += 2) {
    expect([blocks[i]?.[1], blocks[i + 1]?.[1]]).toEqual(['sh', 'text'])
    examples.push({ commands: blocks[i]?.[2] as string, output: blocks[i + 1]?.[2] as string })
  }
  return examples
}

/** `…` stands for anything. */
function pattern(output: string): RegExp {
  const parts = output.trim().split('…')
  return new RegExp(`^${parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('[\\s\\S]*?')}$`)
}

async function apiHere(): Promise<string> {
  const gateway = createGateway({ origin: { url: 'http://127.0.0.1:9' }, listen: '127.0.0.1:0', api: { listen: '127.0.0.1:0' } })
  const { api } = await gateway.listen()
  onTestFinished(() => gateway.close(0))
  return `127.0.0.1:${api.port}`
}

it.skipIf(spawnSync('curl', ['--version']).status !== 0)('the guide shows what its commands print', async () => {
  const at = await apiHere()
  const examples = readExamples()

  expect(examples.length).toBeGreaterThan(4)
  for (const { commands, output } of examples) {
    const { stdout } = await run('sh', ['-ec', commands.replaceAll('127.0.0.1:8081', at)])
    expect(stdout.replaceAll('\r', '').trim().replaceAll('}{', '}\n{'), commands).toMatch(pattern(output))
  }
})

it.skipIf(spawnSync('python3', ['--version']).status !== 0)("the guide's Python works", async () => {
  const at = await apiHere()
  const code = [...GUIDE.matchAll(BLOCK)].find(([, kind]) => kind === 'python')?.[2] as string
  const { stdout } = await run('python3', ['-c', code.replaceAll('127.0.0.1:8081', at)])

  expect(stdout.trim()).toBe("{'name': 'Grace'} None")
})
