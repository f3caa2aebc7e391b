/**
 * An application with OpenTelemetry's instrumentation beside the hook: `CLIENT`, `URL`; `FIRST` is hook or instrumentation.
 */
import { createRequire } from 'node:module'
import { finish, listening, pause, tell, tellOf } from './tell.ts'

const require = createRequire(import.meta.url)
const { CLIENT = '', URL: url = '' } = process.env
const isIoredis = CLIENT.startsWith('ioredis')
const names: string[] = []

/** Only what the instrumentation calls. */
const span = (name: string): object => {
  names.push(name)
  const made: object = new Proxy({}, { get: (_, field) => (field === 'isRecording' ? () => true : field === 'spanContext' ? context : () => made) })
  return made
}
const context = (): object => ({ traceId: '0'.repeat(31) + '1', spanId: '0'.repeat(15) + '1', traceFlags: 1 })
const provider = { getTracer: () => ({ startSpan: span, startActiveSpan: (name: string, ...rest: unknown[]) => (rest.at(-1) as (s: object) => unknown)(span(name)) }) }

const kit = require(isIoredis ? '@opentelemetry/instrumentation-ioredis' : '@opentelemetry/instrumentation-redis') as Record<string, new (options: object) => object>
const Instrumentation = (kit['IORedisInstrumentation'] ?? kit['RedisInstrumentation']) as new (options: object) => {
  setTracerProvider(provider: object): void
  enable(): void
}
const instrumentation = new Instrumentation({ requireParentSpan: false })
instrumentation.setTracerProvider(provider)
instrumentation.enable()

// oxlint-disable-next-line typescript/no-explicit-any -- the program runs under several libraries
const library = require(CLIENT) as any
const client = isIoredis ? new library.default(url) : library.createClient({ url })
client.on('error', () => undefined)
if (!isIoredis) await client.connect()
await client.ping()
await listening()
await tellOf('set', client.set('k', 'v'))
await tellOf('get', client.get('k'))
await pause(30)
names.length = 0
await tellOf('get from memory', client.get('k'))
const fromMemory = names.length
await tellOf('set', client.set('k', 'w'))
await tellOf('get', client.get('k'))
const reached = names.map((name) => name.toLowerCase())
tell('spans of what reached the server', reached.some((name) => name.includes('set')) && reached.some((name) => name.includes('get')))
process.stderr.write(`SPANS ${fromMemory} ${names.join(' ')}\n`)
finish()
await (isIoredis ? client.quit() : client.close())
