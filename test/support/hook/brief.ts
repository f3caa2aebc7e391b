/**
 * A short life: a few reads by one client, then its end; what stays open would keep the process alive. `CLIENT`, `URL`;
 * `OPTIONS` for the client; `END` is quit, disconnect or none; `FORM` is import or require.
 */
import { createRequire } from 'node:module'
import { finish, listening, remembered, tell, tellOf } from './tell.ts'

const { CLIENT = '', URL: url = '', OPTIONS = '{}', END = 'quit', FORM = 'import' } = process.env
const options = JSON.parse(OPTIONS) as object
// oxlint-disable-next-line typescript/no-explicit-any -- the program runs under several libraries
const library = (FORM === 'import' ? await import(CLIENT) : createRequire(import.meta.url)(CLIENT)) as any
const isIoredis = CLIENT.startsWith('ioredis')
const client = isIoredis ? new library.default(url, options) : library.createClient({ url, ...options })
client.on('error', (error: Error) => tell('error', error.message))
if (!isIoredis) await client.connect()
await client.ping()
await listening(() => client.get('k') as Promise<unknown>)
await tellOf('set', client.set('k', 'v'))
await remembered(() => client.get('k') as Promise<unknown>)
for (let i = 0; i < 5; i += 1) await tellOf('get', client.get('k'))
finish()
if (END === 'quit') await (isIoredis ? client.quit() : client.close())
else if (END === 'disconnect') await (isIoredis ? client.disconnect() : client.destroy())
else client[isIoredis ? 'stream' : 'unref']?.call?.(client)
if (END === 'none' && isIoredis) client.stream.unref()
