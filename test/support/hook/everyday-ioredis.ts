/**
 * What applications do with ioredis, told line by line: `CLIENT` names the package, `URL` the server.
 */
import { finish, listening, pause, tell, tellOf } from './tell.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- the program runs under several versions of the library
const { default: Redis } = (await import(process.env['CLIENT'] as string)) as { default: any }
const url = process.env['URL'] as string

const events: string[] = []
const redis = new Redis(url, { lazyConnect: true, connectionName: 'everyday' })
for (const name of ['connect', 'ready', 'close', 'reconnecting', 'end', 'select', 'error']) {
  redis.on(name, (detail: unknown) => events.push(name === 'select' || name === 'error' ? `${name} ${String(detail)}` : name))
}
tell('status before', redis.status)
const early = [redis.set('early', '1'), redis.get('early'), redis.get('early')]
for (const one of early) await tellOf('sent before it was connected', one)
await listening(() => redis.get('first') as Promise<unknown>)
await redis.flushall()

await redis.mset('s', 'text', 'n', '7', 'bytes', Buffer.from([0xff, 0, 0xfe]))
await redis.hset('h', { a: '1', b: 'ü', __proto__: 'x' })
await redis.hset('h', '__proto__', 'field')
await redis.rpush('l', 'one', 'two', 'message')
await redis.sadd('set', 'm')
await redis.zadd('z', 1, 'one', 2.5, 'two')
await redis.xadd('x', '1-1', 'f', 'v')
for (let round = 0; round < 4; round += 1) {
  await tellOf('get', redis.get('s'))
  await tellOf('getBuffer', redis.getBuffer('s'))
  await tellOf('get bytes', redis.getBuffer('bytes'))
  await tellOf('get nothing', redis.get('nothing'))
  await tellOf('get of a number', redis.get(7))
  await tellOf('get of a Buffer', redis.get(Buffer.from('s')))
  await tellOf('get of undefined', redis.get(undefined))
  await tellOf('mget', redis.mget('s', 'n', 'h', 'nothing'))
  await tellOf('mget of a list', redis.mget(['s', 'n']))
  await tellOf('mgetBuffer', redis.mgetBuffer('s', 'bytes'))
  await tellOf('hgetall', redis.hgetall('h'))
  await tellOf('hgetallBuffer', redis.hgetallBuffer('h'))
  await tellOf('hgetall of nothing', redis.hgetall('nothing'))
  await tellOf('hget', redis.hget('h', 'a'))
  await tellOf('hmget', redis.hmget('h', 'a', 'nothing'))
  await tellOf('lrange', redis.lrange('l', 0, -1))
  await tellOf('smembers', redis.smembers('set'))
  await tellOf('zrange', redis.zrange('z', 0, -1, 'WITHSCORES'))
  await tellOf('zscore', redis.zscore('z', 'two'))
  await tellOf('xrange', redis.xrange('x', '-', '+'))
  await tellOf('exists', redis.exists('s'))
  await tellOf('type', redis.type('l'))
  await tellOf('wrong type', redis.get('h'))
  await tellOf('wrong number of arguments', redis.get())
  await tellOf('unknown command', redis.call('NOSUCH', 'x'))
  await tellOf('call', redis.call('GET', 's'))
  await tellOf('callBuffer', redis.callBuffer('get', 's'))
  await tellOf('callback', new Promise((done) => redis.get('s', (error: unknown, reply: unknown) => done([error, reply]))))
  await tellOf(
    'callback of an error',
    new Promise((done) => redis.get('h', (error: unknown, reply: unknown) => done([error, reply]))),
  )
  await pause(8)
}

const first = await redis.hgetall('h')
first.a = 'changed'
const list = await redis.lrange('l', 0, -1)
list.push('more')
const bytes = await redis.getBuffer('s')
bytes[0] = 0
await pause(5)
await tellOf('after values were changed', Promise.all([redis.hgetall('h'), redis.lrange('l', 0, -1), redis.getBuffer('s')]))

tell('kind of promise', redis.get('s').constructor === Promise)
await tellOf('pipeline', redis.pipeline().set('s', 'p').get('s').hgetall('h').get('h').exec())
await tellOf('get behind the pipeline', redis.get('s'))
await tellOf('multi', redis.multi().set('s', 'm').get('s').incr('n').exec())
await tellOf('get behind multi', redis.get('s'))
await tellOf('multi with an error', redis.multi().set('s', 'e').call('NOSUCH').exec())
await redis.multi({ pipeline: false })
await tellOf('queued', redis.get('s'))
await tellOf('queued', redis.set('s', 'q'))
await tellOf('exec', redis.exec())
await tellOf('get behind exec', redis.get('s'))
await redis.watch('s')
await tellOf('under WATCH', redis.get('s'))
const rival = new Redis(url)
await rival.set('s', 'rival')
await tellOf('exec that fails', redis.multi().set('s', 'mine').exec())
await tellOf('get of a rival', redis.get('s'))

redis.defineCommand('put', { numberOfKeys: 1, lua: "redis.call('SET', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])" })
await tellOf('script', redis.put('s', 'script'))
await tellOf('get behind the script', redis.get('s'))
await tellOf('eval', redis.eval("redis.call('SET', 's', 'undeclared') return 1", 0))
await tellOf('get behind eval', redis.get('s'))

const copy = redis.duplicate({ keyPrefix: 'p:' })
await tellOf('duplicate', copy.set('s', 'prefixed'))
for (let i = 0; i < 3; i += 1) {
  await tellOf('with a prefix', copy.get('s'))
  await pause(3)
}
await tellOf('without', redis.get('p:s'))
await copy.quit()

await tellOf('select', redis.select(3))
await tellOf('in another database', redis.get('s'))
await tellOf('select that fails', redis.select(99999))
await tellOf('select back', redis.select(0))
await tellOf('back', redis.get('s'))

const subscriber = redis.duplicate()
const messages: string[] = []
subscriber.on('message', (channel: string, message: string) => messages.push(`${channel} ${message}`))
await tellOf('subscribe', subscriber.subscribe('news', 'more'))
if (process.env['CLIENT'] === 'ioredis5') await tellOf('reading while subscribed', subscriber.get('s'))
await redis.set('s', 'published')
await tellOf('publish', redis.publish('news', 'hello'))
while (messages.length === 0) await pause(1)
await tellOf('get behind the message', redis.get('s'))
tell('messages', messages)
await tellOf('unsubscribe', subscriber.unsubscribe('news', 'more'))
await tellOf('reading again', subscriber.get('s'))
subscriber.disconnect()

const keys: string[] = []
for await (const some of redis.scanStream({ match: '*' }) as AsyncIterable<string[]>) keys.push(...some)
tell('scanStream', keys.sort())
const order: string[] = []
await Promise.all([
  redis.set('o', '1').then(() => order.push('set')),
  redis.get('o').then((value: string) => order.push(`get ${value}`)),
  redis.del('o').then(() => order.push('del')),
  redis.get('o').then((value: string) => order.push(`get ${value}`)),
])
tell('order of what was not awaited', order)

await redis.client('KILL', 'ID', await redis.client('ID')).catch(() => undefined)
await tellOf('after the connection was killed', redis.get('s'))
await tellOf('and again', redis.get('s'))
redis.disconnect()
await tellOf('after disconnect', redis.get('s'))
await redis.connect().catch(() => undefined)
await tellOf('after connect', redis.get('s'))
const gone = [redis.get('s'), redis.quit(), redis.get('s')]
for (const one of gone) await tellOf('around quit', one)
await tellOf('after quit', redis.get('s'))
await rival.quit()
await pause(20)
tell('events', events)
finish()
