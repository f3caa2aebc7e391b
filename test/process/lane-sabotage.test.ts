/** The comparison of lane and `node:http` notices what it is there to notice. */
import { describe, expect, it, onTestFinished } from 'vitest'
import { type Step, converse } from '../support/lane-case.ts'
import { differences } from '../support/lane-compare.ts'
import { startDuel } from '../support/lane-duel.ts'
import { type Spoiler, spoil } from '../support/lane-sabotage.ts'

const get = (name: string, method = 'GET'): string => `${method} /uuuuuuu/${name} HTTP/1.1\r\nHost: a.test\r\n\r\n`
const fill = (name: string): Step => ({ kind: 'aside', bytes: get(name) })
const STEPS: readonly Step[] = [
  fill('h1'),
  fill('p2'),
  { kind: 'send', pieces: [get('h1') + get('p2') + get('h1', 'HEAD')] },
  { kind: 'await' },
]

const answers = (said: string): string[] => said.split(/(?=HTTP\/1\.1 )/)

const SPOILERS: [name: string, spoiler: Spoiler][] = [
  ['answers in another order', (said) => answers(said).reverse().join('')],
  ['an answer that is missing', (said) => (answers(said).length > 1 ? answers(said).slice(1).join('') : said)],
  ['an answer that comes twice', (said) => (answers(said).length > 1 ? said + (answers(said)[0] as string) : said)],
  ['a field that is missing', (said) => said.replace(/\r\netag: [^\r]*/i, '')],
  ['a field that is too much', (said) => said.replace('\r\netag:', '\r\nx: y\r\netag:')],
  ['a field in another case', (said) => said.replace('\r\netag:', '\r\nETag:')],
  ['fields in another order', (said) => said.replace(/(\r\netag: [^\r]*)(\r\nlast-modified: [^\r]*)/, '$2$1')],
  ['an age that is too low', (said) => said.replaceAll(/\r\nage: \d+/g, '\r\nage: 0')],
  ['content behind an answer to HEAD', (said, asked) => (asked.includes('HEAD') ? `${said}<GET /u000001/h1 #1>` : said)],
  ['a byte of content', (said) => said.replace('<GET', '<get')],
  ['another status', (said) => said.replace('200 OK', '203 OK')],
  ['a connection that closes', (said) => said.replaceAll('Connection: keep-alive', 'Connection: close')],
]

describe('the comparison of lane and node:http', () => {
  it.each(SPOILERS)('notices %s', async (_, spoiler) => {
    const { stage, close } = await startDuel()
    const [lane, http] = stage.arms
    if (lane === undefined || http === undefined) throw new Error('two arms')
    const spoilt = await spoil(lane, spoiler)
    onTestFinished(async () => {
      spoilt.end()
      await close()
    })
    const aged: readonly Step[] = [...STEPS.slice(0, 2), { kind: 'forward', ms: 30_000 }, ...STEPS.slice(2)]

    const [honest, asHonest] = await converse({ ...stage, calm: { turns: 200, ms: 10 } }, aged)
    const [one, other] = await converse({ ...stage, arms: [spoilt.arm, http], calm: { turns: 200, ms: 10 } }, aged)

    if (!honest || !asHonest || !one || !other) throw new Error('two outcomes')
    expect(differences(honest, asHonest)).toEqual([])
    expect(differences(one, other)).not.toEqual([])
  })
})
