/**
 * Records what real clients and a real Redis say to each other: the traffic that the fuzz tests of the protocol start from.
 *
 * Usage: node tools/record-resp.ts. Needs redis-server, redis-cli and redis-benchmark in PATH; writes
 * test/support/resp-recorded.json: conversations as latin1, what clients said and what Redis said.
 */
import { execFile, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { createClient } from 'redis'

const run = promisify(execFile)
const REDIS_PORT = 17_900
const MAX_BYTES = 6000
const TYPES = 'string integer double null array set map attrib push verbatim true false bignum'.split(' ')
const COMMANDS = [
  'HSET h a 1 b 2 c 3',
  'HGETALL h',
  'ZADD z 0.1 a 2 b inf c',
  'ZRANGE z 0 -1 WITHSCORES',
  'ZSCORE z a',
  'SADD s x y z',
  'SMEMBERS s',
  'RPUSH l 1 2 3',
  'LRANGE l 0 -1',
  'XADD x 1-1 f v',
  'XRANGE x - +',
  'GEOADD g 13.36 38.11 p',
  'GEOPOS g p q',
  'MGET a b c',
  'GET nothing',
  'NOSUCH',
  'COMMAND INFO get set',
  'CLIENT LIST',
  'INFO keyspace',
  'CONFIG GET maxmemory*',
  'SLOWLOG GET',
]

interface Conversation {
  readonly name: string
  asked: string
  answered: string
}

const redis = spawn('redis-server', ['--port', String(REDIS_PORT), '--save', '', '--enable-debug-command', 'yes'], {
  stdio: 'ignore',
})
process.once('exit', () => redis.kill())
const conversations: Conversation[] = []
let name = ''
const recorder = createServer((client) => {
  const conversation: Conversation = { name, asked: '', answered: '' }
  conversations.push(conversation)
  const server = connect(REDIS_PORT, '127.0.0.1')
  client.on('data', (chunk) => {
    conversation.asked = (conversation.asked + chunk.toString('latin1')).slice(0, MAX_BYTES)
    server.write(chunk)
  })
  server.on('data', (chunk) => {
    conversation.answered = (conversation.answered + chunk.toString('latin1')).slice(0, MAX_BYTES)
    client.write(chunk)
  })
  for (const [one, other] of [[client, server] as const, [server, client] as const]) {
    one.on('error', () => other.destroy())
    one.on('end', () => other.end())
  }
})
recorder.listen(0, '127.0.0.1')
await wait(1000)
const { port } = recorder.address() as AddressInfo

name = 'redis-benchmark'
await run('redis-benchmark', ['-p', String(port), '-n', '20', '-c', '1', '-P', '4', '-d', '20'])
for (const version of [2, 3] as const) {
  name = `redis-cli -${version}`
  for (const command of COMMANDS) await run('redis-cli', [`-${version}`, '-p', String(port), ...command.split(' ')])
  // Some of them redis-cli does not read; what was said is recorded all the same.
  for (const type of TYPES) await run('redis-cli', [`-${version}`, '-p', String(port), 'DEBUG', 'PROTOCOL', type]).catch(() => {})
  name = `node-redis RESP${version}`
  const client = createClient({ url: `redis://127.0.0.1:${port}`, RESP: version })
  await client.connect()
  await Promise.all(COMMANDS.map((command) => client.sendCommand(command.split(' ')).catch(() => {})))
  await client.multi().set('a', 'b').get('a').lRange('l', 0, -1).exec()
  await client.eval('return {1,{2,{3,"x"}},"y",false}')
  await client.close()
}
name = 'inline'
const inline = connect(port, '127.0.0.1', () => inline.write('PING\r\nSET "a b" \'c\\\'d\'\nGET "a\\x20b"\r\n\r\nQUIT\r\n'))
await new Promise((resolve) => inline.on('data', () => {}).once('close', resolve))
await wait(200)
const path = join(import.meta.dirname, '..', 'test', 'support', 'resp-recorded.json')
writeFileSync(path, `${JSON.stringify(unique(conversations), null, 2)}\n`)
process.exit(0)

/** One of each kind: the sequence of names of commands and of types is what makes a difference here. */
function unique(all: readonly Conversation[]): Conversation[] {
  const seen = new Set<string>()
  return all.filter((one) => {
    const is = `${one.name} ${one.asked.slice(0, 60)} ${one.answered.slice(0, 20)}`
    return one.asked !== '' && seen.size < seen.add(is).size
  })
}
