/**
 * What applications do with node-redis, told line by line: `CLIENT` names the package, `URL` the server.
 */
import { finish, listening, pause, tell, tellOf } from './tell.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- the program runs under several versions of the library
const library = (await import(process.env['CLIENT'] as string)) as any
const { createClient, createClientPool, defineScript } = library
const url = process.env['URL'] as string

const events: string[] = []
const SCRIPTS = {
  put: defineScript({
    SCRIPT: "redis.call('SET', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])",
    NUMBER_OF_KEYS: 1,
    parseCommand(parser: { pushKey(key: string): void; push(arg: string): void }, key: string, value: string) {
      parser.pushKey(key)
      parser.push(value)
    },
    transformReply: (reply: unknown) => `transformed ${String(reply)}`,
  }),
}
const client = createClient({ url, scripts: SCRIPTS, name: 'everyday' })
for (const name of ['connect', 'ready', 'reconnecting', 'end', 'error']) client.on(name, () => events.push(name))
await tellOf('before connect', client.get('s'))
const connecting = client.connect()
const early = [client.set('early', '1'), client.get('early'), client.get('early')]
await connecting
for (const one of early) await tellOf('sent before it was connected', one)
await listening(() => client.get('first') as Promise<unknown>)
await client.flushAll()

await client.mSet(['s', 'text', 'n', '7'])
await client.set('bytes', Buffer.from([0xff, 0, 0xfe]))
await client.hSet('h', { a: '1', b: 'ü' })
await client.hSet('h', '__proto__', 'field')
await client.rPush('l', ['one', 'two', 'message'])
await client.sAdd('set', 'm')
await client.zAdd('z', [
  { score: 1, value: 'one' },
  { score: 2.5, value: 'two' },
])
await client.xAdd('x', '1-1', { f: 'v' })
const mapped = client.withTypeMapping({ 36: Buffer })
const asMap = client.withTypeMapping({ 37: Map })
for (let round = 0; round < 4; round += 1) {
  await tellOf('get', client.get('s'))
  await tellOf('GET', client.GET('s'))
  await tellOf('get as Buffer', mapped.get('s'))
  await tellOf('get bytes', mapped.get('bytes'))
  await tellOf('get bytes as text', client.get('bytes'))
  await tellOf('get nothing', client.get('nothing'))
  await tellOf('get of a Buffer', client.get(Buffer.from('s')))
  await tellOf('get of a number', client.get(7))
  await tellOf('get of undefined', client.get(undefined))
  await tellOf('mGet', client.mGet(['s', 'n', 'h', 'nothing']))
  await tellOf('mGet as Buffers', mapped.mGet(['s', 'bytes']))
  await tellOf('hGetAll', client.hGetAll('h'))
  await tellOf('hGetAll as Buffers', mapped.hGetAll('h'))
  await tellOf('hGetAll as Map', asMap.hGetAll('h'))
  await tellOf('hGetAll of nothing', client.hGetAll('nothing'))
  await tellOf('hGet', client.hGet('h', 'a'))
  await tellOf('hmGet', client.hmGet('h', ['a', 'nothing']))
  await tellOf('hExists', client.hExists('h', 'a'))
  await tellOf('lRange', client.lRange('l', 0, -1))
  await tellOf('sMembers', client.sMembers('set'))
  await tellOf('sIsMember', client.sIsMember('set', 'm'))
  await tellOf('zRangeWithScores', client.zRangeWithScores('z', 0, -1))
  await tellOf('zScore', client.zScore('z', 'two'))
  await tellOf('xRange', client.xRange('x', '-', '+'))
  await tellOf('exists', client.exists('s'))
  await tellOf('exists of two', client.exists(['s', 'h']))
  await tellOf('type', client.type('l'))
  await tellOf('wrong type', client.get('h'))
  await tellOf('sendCommand', client.sendCommand(['GET', 's']))
  await tellOf('sendCommand in lower case', client.sendCommand(['get', 's']))
  await tellOf('sendCommand that is none', client.sendCommand(['NOSUCH', 's']))
  await tellOf('sendCommand with a number', client.sendCommand(['GET', 7]))
  await tellOf('aborted', client.withAbortSignal(AbortSignal.abort()).get('s'))
  await pause(8)
}
const first = await client.hGetAll('h')
first.a = 'changed'
const bytes = await mapped.get('s')
bytes[0] = 0
await pause(5)
await tellOf('after values were changed', Promise.all([client.hGetAll('h'), mapped.get('s'), client.get('s')]))

await tellOf('multi', client.multi().set('s', 'm').get('s').hGetAll('h').exec())
await tellOf('get behind multi', client.get('s'))
await tellOf('multi that fails', client.multi().set('s', 'e').addCommand(['NOSUCH']).exec())
await tellOf('pipeline', client.multi().set('s', 'p').get('s').execAsPipeline())
await tellOf('get behind the pipeline', client.get('s'))
const rival = createClient({ url })
await rival.connect()
await client.watch('s')
await tellOf('under WATCH', client.get('s'))
await rival.set('s', 'rival')
await tellOf('exec that fails', client.multi().set('s', 'mine').exec())
await tellOf('get of a rival', client.get('s'))
await tellOf('script', client.put('s', 'script'))
await tellOf('get behind the script', client.get('s'))
await tellOf('eval', client.eval("redis.call('SET', 's', 'undeclared') return 1"))
await tellOf('get behind eval', client.get('s'))
await tellOf('multi with select', client.multi().select(2).set('in', 'two').exec())
await tellOf('in the second database', client.get('in'))
await tellOf('select', client.select(0))
await tellOf('back', client.get('s'))
await tellOf('select', client.select(3))
await tellOf('in another database', client.get('s'))
await tellOf('select back', client.select(0))
for (let i = 0; i < 3; i += 1) {
  await tellOf('back', client.get('s'))
  await pause(3)
}

const subscriber = client.duplicate()
await subscriber.connect()
const messages: string[] = []
await tellOf(
  'subscribe',
  subscriber.subscribe('news', (message: string) => messages.push(message)),
)
await client.set('s', 'published')
await tellOf('publish', client.publish('news', 'hello'))
while (messages.length === 0) await pause(1)
await tellOf('get behind the message', client.get('s'))
if (client.options?.RESP === 2 || process.env['CLIENT'] === 'redis5')
  await tellOf('reading while subscribed', subscriber.get('s'))
await tellOf('unsubscribe', subscriber.unsubscribe('news'))
await tellOf('reading again', subscriber.get('s'))
await subscriber.close()

const pool = createClientPool({ url }, { minimum: 1, maximum: 2 })
await pool.connect()
for (let i = 0; i < 3; i += 1) {
  await tellOf('through a pool', Promise.all([pool.get('s'), pool.hGetAll('h'), pool.get('s')]))
  await pause(5)
}
await tellOf('set through a pool', pool.set('s', 'pooled'))
await tellOf('get behind it', pool.get('s'))
await pool.close()

const legacy = client.legacy()
await tellOf('legacy', new Promise((done) => legacy.get('s', (error: unknown, reply: unknown) => done([error, reply]))))
await tellOf('legacy', new Promise((done) => legacy.hGetAll('h', (error: unknown, reply: unknown) => done([error, reply]))))
const keys: string[] = []
for await (const some of client.scanIterator()) keys.push(...some)
tell('scanIterator', keys.sort())
const order: string[] = []
await Promise.all([
  client.set('o', '1').then(() => order.push('set')),
  client.ping().then(() => order.push('ping')),
  client.get('o').then((value: string) => order.push(`get ${value}`)),
  client.del('o').then(() => order.push('del')),
  client.get('o').then((value: string) => order.push(`get ${value}`)),
])
tell('order of what was not awaited', order)
await client.sendCommand(['CLIENT', 'KILL', 'ID', String(await client.sendCommand(['CLIENT', 'ID']))]).catch(() => undefined)
await pause(300)
await tellOf('after the connection was killed', client.get('s'))
const gone = [client.get('s'), client.close()]
for (const one of gone) await tellOf('around close', one)
await tellOf('after close', client.get('s'))
await rival.close()
await pause(20)
tell('events', events)
finish()
