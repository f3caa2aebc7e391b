/**
 * What programs of the hook's tests tell: every result with its types, one line each, so that two runs can be compared.
 */
import { stats } from '../../../src/entry/redis.ts'

const lines: string[] = []

/** One line: a label and a result. */
export function tell(label: string, result: unknown): void {
  lines.push(`${label}: ${show(result)}`)
}

/** One line: what a promise became. */
export async function tellOf(label: string, result: unknown): Promise<void> {
  try {
    tell(label, await result)
  } catch (error) {
    tell(`${label} rejected`, error)
  }
}

/** Writes everything, and to stderr what the hook has done. */
export function finish(): void {
  process.stdout.write(`${lines.join('\n')}\n`)
  process.stderr.write(`STATS ${JSON.stringify(stats() ?? null)}\n`)
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Waits until the hook listens to the server; at once where there is no hook. @param read makes it want to */
export async function listening(read: () => Promise<unknown>): Promise<void> {
  await read()
  const endAt = performance.now() + 5000
  while (performance.now() < endAt) {
    const now = stats()
    if (now === undefined && !process.execArgv.concat(process.env['NODE_OPTIONS'] ?? '').some((one) => one.includes('register')))
      return
    if (now?.upstreams.some(({ state }) => state === 'on' || state === 'refused')) return
    await pause(5)
  }
}

/** Reads until memory answers; a few times where there is no hook. */
export async function remembered(read: () => Promise<unknown>): Promise<void> {
  const before = stats()?.hits ?? 0
  for (let i = 0; i < 60 && (stats()?.hits ?? 0) === before; i += 1) {
    await read()
    await pause(i < 3 ? 5 : 20)
    if (stats() === undefined && i === 3) return
  }
}

/** Text that tells strings, Buffers, numbers, Maps, classes and prototypes apart. */
export function show(value: unknown): string {
  if (value === undefined) return 'undefined'
  if (typeof value === 'bigint') return `${value}n`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Buffer.isBuffer(value)) return `Buffer<${value.toString('hex')}>`
  if (value instanceof Error) return `${value.constructor.name}(${value.name} ${JSON.stringify(value.message)}${extra(value)})`
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`
  if (value instanceof Map) return `Map{${[...value].map(([key, one]) => `${show(key)} => ${show(one)}`).join(', ')}}`
  if (value instanceof Set) return `Set{${[...value].map(show).join(', ')}}`
  const prototype = Object.getPrototypeOf(value) as object | null
  const name = prototype === null ? 'null ' : prototype === Object.prototype ? '' : `${prototype.constructor.name} `
  return `${name}{${Object.entries(value)
    .map(([key, one]) => `${JSON.stringify(key)}: ${show(one)}`)
    .join(', ')}}`
}

function extra(error: object): string {
  const fields = Object.entries(error).filter(([name]) => name !== 'stack' && name !== 'previousErrors')
  return fields.length === 0 ? '' : ` ${fields.map(([name, one]) => `${name}=${show(one)}`).join(' ')}`
}
