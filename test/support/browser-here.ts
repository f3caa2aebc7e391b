/**
 * A page in a real Chromium: what it asks the network for, what it complains of, what stands in it.
 *
 * Spoken to by the DevTools protocol over a WebSocket; a process and a profile of its own, ended and removed behind the test. Needs
 * Chromium in PATH (`npm test` installs it on Debian where it may). CHROMIUM names another program.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'

/** A page that has been loaded. */
export interface OpenPage {
  /** URLs of everything that was asked for, the page itself first. */
  readonly requests: readonly string[]
  /** Errors, refusals of the page's own policy, exceptions, dialogs. */
  readonly complaints: readonly string[]
  /** What an expression gives in it. */
  read<T>(expression: string): Promise<T>
}

type Message = Readonly<Record<string, unknown>> & { readonly id?: number; readonly method?: string }
type Values = Readonly<Record<string, never>>

const PROGRAMS = [process.env['CHROMIUM'], 'chromium', 'chromium-browser', 'google-chrome'].filter((name) => name !== undefined)
const DEADLINE_MS = 40_000
/** Fetched names of any host come to nothing: what a page asks for is seen all the same. */
const FLAGS = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-extensions'],
  ...['--disable-background-networking', '--host-resolver-rules=MAP * ~NOTFOUND', '--remote-debugging-port=0', 'about:blank'],
]

/** Opens it and waits until it is loaded. @param url of a file or else */
export async function openPage(url: string): Promise<OpenPage> {
  const talk = await Talk.open(await startBrowser())
  onTestFinished(() => talk.close())
  const { targetId } = await talk.ask('Target.createTarget', { url: 'about:blank' })
  const { sessionId } = await talk.ask('Target.attachToTarget', { targetId, flatten: true })
  talk.session = String(sessionId)
  const [requests, complaints]: [string[], string[]] = [[], []]
  let onLoad: () => void
  const loaded = new Promise<void>((resolve) => (onLoad = resolve))
  talk.onEvent = (method, values) => {
    if (method === 'Network.requestWillBeSent') requests.push(String((values['request'] as unknown as { url: string }).url))
    else if (method === 'Page.loadEventFired') onLoad()
    else if (
      /^(?:Log\.entryAdded|Runtime\.exceptionThrown|Runtime\.consoleAPICalled|Page\.javascriptDialogOpening)$/.test(method)
    )
      complaints.push(`${method} ${JSON.stringify(values)}`)
  }
  for (const domain of ['Network', 'Page', 'Runtime', 'Log']) await talk.ask(`${domain}.enable`)
  await talk.ask('Page.navigate', { url })
  await within(loaded, `loading ${url}`)
  return {
    requests,
    complaints,
    async read<T>(expression: string) {
      const { result } = await talk.ask('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true })
      return (result as unknown as { value: T }).value
    },
  }
}

/** @returns where it is spoken to */
async function startBrowser(): Promise<string> {
  const program = PROGRAMS.find((name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0)
  if (program === undefined) throw new Error('these tests need Chromium: apt-get install chromium, or name it with CHROMIUM')
  const profile = mkdtempSync(join(tmpdir(), 'forecache-browser-'))
  const child = spawn(program, [`--user-data-dir=${profile}`, ...FLAGS], { stdio: ['ignore', 'ignore', 'pipe'], detached: true })
  onTestFinished(async () => {
    await endGroup(child)
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 })
  })
  const lines = createInterface({ input: child.stderr as NodeJS.ReadableStream })
  const said = new Promise<string>((resolve, reject) => {
    lines.on('line', (line) => {
      const address = /^DevTools listening on (ws:\S+)/.exec(line)?.[1]
      if (address !== undefined) resolve(address)
    })
    child.once('exit', (code) => reject(new Error(`${program} ended with ${code}`)))
    child.once('error', reject)
  })
  return within(said, `starting ${program}`)
}

/** Its helpers are processes of their own, in its group. */
async function endGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  process.kill(-child.pid, 'SIGKILL')
  await ended
}

/** Questions and answers by number; events by name. */
class Talk {
  session: string | undefined
  onEvent: (method: string, values: Values) => void = () => {}
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, { resolve: (values: Values) => void; reject: (error: Error) => void }>()
  #last = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.addEventListener('message', ({ data }) => this.#receive(JSON.parse(String(data)) as Message))
  }

  static async open(address: string): Promise<Talk> {
    const socket = new WebSocket(address)
    const opened = new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve())
      socket.addEventListener('error', () => reject(new Error(`no connection to ${address}`)))
    })
    await within(opened, `connecting to ${address}`)
    return new Talk(socket)
  }

  ask(method: string, params: object = {}): Promise<Values> {
    this.#last += 1
    const id = this.#last
    const answered = new Promise<Values>((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
    this.#socket.send(JSON.stringify({ id, method, params, ...(this.session !== undefined && { sessionId: this.session }) }))
    return within(answered, method)
  }

  close(): void {
    this.#socket.close()
  }

  #receive({ id, method, params, result, error }: Message): void {
    if (id === undefined) return this.onEvent(method ?? '', (params ?? {}) as Values)
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error === undefined) waiting?.resolve((result ?? {}) as Values)
    else waiting?.reject(new Error(JSON.stringify(error)))
  }
}

async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took more than ${DEADLINE_MS} ms`)), DEADLINE_MS)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
