/**
 * An application with OpenTelemetry's instrumentation beside the hook: `CLIENT`, found from `PROJECT`, and `URL`.
 */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { finish, listening, remembered, tell, tellOf } from './tell.ts'
import { spans } from './traced-preload.ts'

const { CLIENT = '', URL: url = '', PROJECT = '' } = process.env
const isIoredis = CLIENT === 'ioredis'
// oxlint-disable-next-line typescript/no-explicit-any -- the program runs under several libraries
const library = createRequire(join(PROJECT, 'app.js'))(CLIENT) as any
const client = isIoredis ? new library.default(url) : library.createClient({ url })
client.on('error', () => undefined)
if (!isIoredis) await client.connect()
await client.ping()
await listening(() => client.get('first') as Promise<unknown>)
await tellOf('set', client.set('k', 'v'))
await tellOf('get', client.get('k'))
await remembered(() => client.get('k') as Promise<unknown>)
spans.length = 0
await tellOf('get from memory', client.get('k'))
process.stderr.write(`SPANS FROM MEMORY ${spans.length}\n`)
spans.length = 0
await tellOf('set', client.set('k', 'w'))
await tellOf('get', client.get('k'))
tell('spans of what reached the server', spans)
await tellOf('multi', client.multi().set('k', 'x').get('k').exec())
finish()
await (isIoredis ? client.quit() : client.close())
