/** Prefetching by a gateway of its own process, as its configuration says. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { request } from 'undici'
import { expect, it, onTestFinished } from 'vitest'
import { runCliProcess } from '../support/cli-process.ts'
import { originHere } from '../support/gateway-here.ts'
import { spawnGateway } from '../support/gateway-spawn.ts'

function fileWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'forecache-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'forecache.yaml')
  writeFileSync(file, text)
  return file
}

it('answers the first request ever for a detail from memory, and tells what that cost', async () => {
  const asked: string[] = []
  const origin = await originHere(({ url = '', headers }, response) => {
    asked.push(`${headers['sec-purpose'] ?? 'client'} ${url}`)
    response.writeHead(200, { 'cache-control': 'max-age=600', 'content-type': 'application/json' }).end(`{"url":"${url}"}`)
  })
  const file = fileWith(`origin: { url: "${origin}" }
listen: 127.0.0.1:0
api: { listen: 127.0.0.1:0 }
prefetch: { client: { cookie: sid }, routes: named, minChance: 0.4 }
routes:
  - { name: users, match: { path: /users/* }, prefetch: { minChance: 0.4, extra: 0.2 } }
`)
  expect((await runCliProcess(['check', file])).code).toBe(0)
  const gateway = await spawnGateway([file])
  const ask = async (client: number, path: string): Promise<unknown> => {
    const headers = { cookie: `sid=${client}; theme=dark` }
    const answer = await request(`http://127.0.0.1:${gateway.port}${path}`, { headers })
    await answer.body.dump()
    return answer.headers['x-cache']
  }
  for (let user = 1; user <= 30; user += 1) {
    await ask(user, `/users/${user}`)
    await ask(user, `/users/${user}/orders`)
    await ask(user, `/elsewhere/${user}`)
  }
  await ask(999, '/users/999')
  for (let wait = 0; wait < 200 && !asked.includes('prefetch /users/999/orders'); wait += 1) await pause(20)
  await pause(50)

  expect(await ask(999, '/users/999/orders')).toBe('HIT')
  expect(asked.filter((one) => one.endsWith('/users/999/orders'))).toEqual(['prefetch /users/999/orders'])
  expect(asked.filter((one) => one.startsWith('prefetch /elsewhere'))).toEqual([])
  const metrics = await (await fetch(`http://127.0.0.1:${gateway.apiPort}/metrics`)).text()
  expect(metrics).toMatch(
    /forecache_cache_prefetch_requests_total\{route="users",outcome="used"\} [1-9]|outcome="used",route="users"\} [1-9]/,
  )
}, 60_000)

it('is refused where its options are wrong, by line and column', async () => {
  const file = fileWith('origin: { url: "http://127.0.0.1:1" }\nprefetch:\n  client: { cokie: sid }\n')
  const { code, err } = await runCliProcess(['check', file])
  expect(code).toBe(1)
  expect(err).toContain(`${file}:`)
  expect(err).toContain('prefetch')
})
