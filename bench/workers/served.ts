/**
 * A gateway with workers as a process, an origin in this one, and what may be asked of them.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Agent, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const COMMAND = fileURLToPath(new URL('../../bin/forecache.js', import.meta.url))
const TICKS_PER_SECOND = 100

/** What a load came to. */
export interface Load {
  readonly perSecond: number
  /** CPU time of all processes of the gateway for each request, µs. */
  readonly cpuUs: number
}

/** See the module's header. */
export interface Served {
  readonly workers: number
  invalidate(): Promise<void>
  write(): Promise<void>
  pass(): Promise<void>
  /** Undefined where wrk is not installed. */
  load(seconds: number): Promise<Load | undefined>
  stop(): Promise<void>
}

/** Starts both. */
export async function serve(workers: number): Promise<Served> {
  const origin = createServer((incoming, response) => {
    response.setHeader('cache-control', incoming.url === '/pass' ? 'no-store' : 'max-age=600')
    incoming.resume().on('end', () => response.end('x'.repeat(1024)))
  })
  await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`
  const flags = ['--origin', url, '--workers', String(workers), '--listen', '127.0.0.1:0', '--api', '127.0.0.1:0']
  const child = spawn(process.execPath, [COMMAND, 'serve', ...flags], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  const { listen, api } = JSON.parse(line) as { listen: string; api: string }
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const ask = (method: string, target: string, body = ''): Promise<void> => call(target, { method, agent, body })
  await ask('GET', `http://${listen}/hot`)
  return {
    workers,
    invalidate: () => ask('POST', `http://${api}/v1/invalidate`, '{"tags":["t:1"]}'),
    write: () => ask('POST', `http://${listen}/written`, 'x'),
    pass: () => ask('GET', `http://${listen}/pass`),
    load: (seconds) => load(`http://${listen}/hot`, { seconds, pids: () => pidsOf(child.pid as number, api) }),
    async stop() {
      agent.destroy()
      child.kill('SIGTERM')
      await once(child, 'exit')
      origin.close()
      origin.closeAllConnections()
    },
  }
}

function call(target: string, { method, agent, body }: { method: string; agent: Agent; body: string }): Promise<void> {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  return new Promise((resolve, reject) => {
    const asked = request(target, { method, agent, headers: method === 'POST' ? headers : {} }, (answer) => {
      answer
        .resume()
        .on('end', () => (answer.statusCode === 200 ? resolve() : reject(new Error(`${target}: ${answer.statusCode}`))))
    })
    asked.on('error', reject).end(body)
  })
}

async function pidsOf(supervisor: number, api: string): Promise<number[]> {
  const { instances } = (await (await fetch(`http://${api}/v1/instances`)).json()) as {
    instances: { workers?: { pid: number }[] }[]
  }
  return [supervisor, ...(instances[0]?.workers ?? []).map(({ pid }) => pid)]
}

async function load(
  url: string,
  { seconds, pids }: { seconds: number; pids: () => Promise<number[]> },
): Promise<Load | undefined> {
  const all = await pids()
  await wrk(url, 1)
  const before = cpuSeconds(all)
  const text = await wrk(url, seconds)
  const requests = Number(/(\d+) requests in/.exec(text ?? '')?.[1])
  if (text === undefined || !(requests > 0)) return undefined
  return { perSecond: requests / seconds, cpuUs: ((cpuSeconds(all) - before) * 1e6) / requests }
}

async function wrk(url: string, seconds: number): Promise<string | undefined> {
  const child = spawn('wrk', ['-t1', '-c64', `-d${seconds}s`, url], { stdio: ['ignore', 'pipe', 'ignore'] })
  let text = ''
  child.stdout.on('data', (data: Buffer) => (text += data.toString()))
  return new Promise((resolve) => {
    child.once('error', () => resolve(undefined))
    child.once('close', () => resolve(text))
  })
}

function cpuSeconds(pids: readonly number[]): number {
  const ticks = pids.map((pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return Number(fields[11]) + Number(fields[12])
  })
  return ticks.reduce((sum, one) => sum + one, 0) / TICKS_PER_SECOND
}
