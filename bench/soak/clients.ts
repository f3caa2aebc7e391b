/**
 * The clients of a soak: well-behaved ones, and those that every server meets.
 *
 * Each request ends in exactly one way and is counted; one that ends in none within its deadline is unanswered.
 */
import { type IncomingMessage, request as send } from 'node:http'
import type { Random } from '../../src/model/random.ts'
import { ANSWER_MS, type Field } from './field.ts'
import { pipeline, readSlowly } from './raw.ts'

type Behaviour = (field: Field, key: number) => Promise<void>

/** Behaviours and how often of a hundred. */
const BEHAVIOURS: readonly (readonly [share: number, run: Behaviour])[] = [
  [64, (field, key) => one(field, key, {})],
  [6, (field, key) => one(field, key, { method: 'HEAD' })],
  [8, (field, key) => one(field, key, { headers: { 'if-none-match': field.tags.get(key) ?? '"none"' } })],
  [6, (field, key) => one(field, key, { headers: { range: 'bytes=10-99' } })],
  [5, (field, key) => one(field, key, { leave: true })],
  [4, (field, key) => one(field, key, { headers: { connection: 'close' }, fresh: true })],
  [2, (field, key) => one(field, key, { method: 'POST', content: '{"changed":true}' })],
  [3, (field, key) => pipeline(field, [key, key + 1, key, key + 2, key, key + 3])],
  [2, (field, key) => readSlowly(field, key)],
]

/** One client that asks until `endsAt`, at its share of the rate. */
export async function runClient(field: Field, endsAt: number): Promise<void> {
  const pauseMs = (1000 * field.plan.clients) / field.plan.rate
  while (Date.now() < endsAt) {
    const began = Date.now()
    await choose(field.random)(field, pickKey(field))
    const leftMs = pauseMs * (0.5 + field.random()) - (Date.now() - began)
    if (leftMs > 0) await new Promise((resolve) => setTimeout(resolve, leftMs))
  }
}

/** A tenth of the keys gets most of the requests, and the window of keys moves: churn. */
function pickKey({ plan, random, endings }: Field): number {
  const drift = Math.floor(endings.asked / 50)
  return (Math.floor(random() ** 3 * plan.keys) + drift) % plan.keys
}

function choose(random: Random): Behaviour {
  let luck = random() * 100
  for (const [share, run] of BEHAVIOURS) {
    luck -= share
    if (luck < 0) return run
  }
  return (BEHAVIOURS[0] as (typeof BEHAVIOURS)[number])[1]
}

interface Wish {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly content?: string
  /** Leave in the middle of the body. */
  readonly leave?: boolean
  /** On a connection of its own. */
  readonly fresh?: boolean
}

function one(field: Field, key: number, wish: Wish): Promise<void> {
  const { endings, port, agent } = field
  const language = field.random() < 0.5 ? 'de' : 'en'
  endings.asked += 1
  return new Promise((resolve) => {
    const end = (how: 'answered' | 'failed' | 'cut' | 'left' | 'unanswered'): void => {
      clearTimeout(timer)
      endings[how] += 1
      resolve()
    }
    const asked = send({
      port,
      host: '127.0.0.1',
      path: `/item/${key}`,
      method: wish.method ?? 'GET',
      agent: wish.fresh === true ? false : agent,
      headers: { 'accept-language': language, 'accept-encoding': 'gzip, br', ...wish.headers },
    })
    const timer = setTimeout(() => {
      end('unanswered')
      asked.destroy()
    }, ANSWER_MS)
    let isOver = false
    const endOnce: typeof end = (how) => {
      if (!isOver) end(how)
      isOver = true
    }
    asked.on('response', (answer) => take(field, key, { answer, wish, end: endOnce }))
    asked.on('error', () => endOnce('cut'))
    asked.end(wish.content)
  })
}

interface Taking {
  readonly answer: IncomingMessage
  readonly wish: Wish
  readonly end: (how: 'answered' | 'failed' | 'cut' | 'left') => void
}

function take({ endings, tags }: Field, key: number, { answer, wish, end }: Taking): void {
  const { etag } = answer.headers
  if (etag !== undefined) tags.set(key, etag)
  if (answer.headers['x-cache'] === 'HIT') endings.hits += 1
  if (wish.leave === true) {
    end('left')
    answer.destroy()
    return
  }
  answer.on('data', (chunk: Buffer) => (endings.bytes += chunk.length))
  answer.on('end', () => end((answer.statusCode ?? 0) >= 500 ? 'failed' : 'answered'))
  answer.on('error', () => end('cut'))
}
