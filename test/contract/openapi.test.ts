/** The OpenAPI document against the running server: every path, method and status in it happens, and nothing else is mounted. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { request } from 'undici'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cache, createCache } from '../../src/flow/cache.ts'
import { systemClock } from '../../src/model/clock.ts'
import { SILENT } from '../../src/model/port.ts'
import { createAdmin } from '../../src/ops/admin.ts'
import { STREAM_LIMITS } from '../../src/ops/stream.ts'
import { type ApiServer, createApi } from '../../src/server/api.ts'
import { type ApiSurface, createApiSurface } from '../../src/server/api-surface.ts'
import { parseConfig } from '../../src/server/config.ts'
import { createHealth, type Health } from '../../src/server/health.ts'
import { createRespDoor, type RespDoor } from '../../src/server/resp-door.ts'
import { CACHE_API_DEFAULTS } from '../support/cache-api-here.ts'

interface Operation {
  readonly operationId: string
  readonly security?: readonly object[]
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { readonly schema?: object }>> }>>
}
interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: object }
}
interface Case {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Of the target, where it is not the template with `k` as its key. */
  readonly target?: string
  /** Runs before it; what it returns runs after. */
  readonly arrange?: () => Promise<() => void>
}

const KEY = 'a-key-of-sixteen-letters'
const JSON_TYPE = { 'content-type': 'application/json' }
const nothing = async (): Promise<() => void> => () => {}

let cache: Cache
let surface: ApiSurface
let servers: ApiServer[] = []
let health: Health
let redisDoor: RespDoor
let redisPort: number
let base: string
let keyed: string
let document: Document
let ajv: Ajv2020

beforeAll(async () => {
  cache = createCache({ memory: { maxBytes: 1_000_000, maxEntryBytes: 50_000 } })
  const config = parseConfig({ values: { resp: { listen: '127.0.0.1:0' } } })
  redisDoor = createRespDoor(config, { cache, engine: cache.engine, logger: SILENT })
  redisPort = (await redisDoor.listen()).port
  health = createHealth()
  health.set('ready')
  const admin = createAdmin({ engine: cache.engine })
  const settings = { ...CACHE_API_DEFAULTS, maxValue: 60_000, maxBatch: 60_000 }
  surface = createApiSurface(cache, { cacheApi: settings }, [...admin.endpoints, ...health.endpoints])
  const open = async (keys: readonly string[]): Promise<string> => {
    const parts = { endpoints: surface.endpoints, insecure: false, clock: systemClock(), logger: SILENT }
    const server = createApi({ ...parts, keys })
    servers.push(server)
    return `http://127.0.0.1:${(await server.listen({ host: '127.0.0.1', port: 0 })).port}`
  }
  base = await open([])
  keyed = await open([KEY])
  document = (await (await request(`${base}/openapi.json`)).body.json()) as Document
  ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema({ $id: 'doc', components: document.components })
})

afterAll(async () => {
  await Promise.all(servers.map((server) => server.close(0)))
  servers = []
  await redisDoor.close(0)
  await cache.close()
})

const put =
  (key: string): (() => Promise<() => void>) =>
  async () => {
    await request(`${base}/cache/${key}`, { method: 'PUT', body: 'x' }).then(({ body }) => body.dump())
    return () => {}
  }
const gone = async (): Promise<() => void> => {
  await cache.delete('k')
  return () => {}
}
const unsayable = async (): Promise<() => void> => {
  await cache.set('k', new Map([[1, 2]]))
  return () => void cache.delete('k')
}
/** A list stands where a value is asked for. */
const listed = async (): Promise<() => void> => {
  const socket = connect(redisPort, '127.0.0.1')
  socket.write('DEL k\r\nRPUSH k 1\r\n')
  for (let told = ''; !told.endsWith(':1\r\n'); ) told += String(((await once(socket, 'data')) as [Buffer])[0])
  return () => void socket.end()
}
const unready = async (): Promise<() => void> => {
  health.set('starting')
  return () => health.set('ready')
}
const manyStreams = async (): Promise<() => void> => {
  const leave = new AbortController()
  for (let i = 0; i < STREAM_LIMITS.maxClients; i += 1) {
    const { body } = await request(`${base}/v1/stream`, { signal: leave.signal })
    body.on('error', () => {})
    await new Promise((resolve) => body.once('readable', resolve))
  }
  return () => leave.abort()
}

/** How each answer is brought about: by operation and status; 401 and 403 are the same for all. */
const CASES: Readonly<Record<string, Readonly<Record<number, Case>>>> = {
  'GET /cache/{key}': {
    200: { arrange: put('k') },
    304: { arrange: put('k'), headers: { 'if-none-match': '*' } },
    400: { target: '/cache/k?ttl=1s' },
    404: { arrange: gone },
    406: { arrange: unsayable },
    409: { arrange: listed, target: '/cache/k?namespace=redis' },
  },
  'HEAD /cache/{key}': {
    200: { arrange: put('k') },
    304: { arrange: put('k'), headers: { 'if-none-match': '*' } },
    400: { target: '/cache/k?ttl=1s' },
    404: { arrange: gone },
    406: { arrange: unsayable },
    409: { arrange: listed, target: '/cache/k?namespace=redis' },
  },
  'PUT /cache/{key}': writeCases(),
  'POST /cache/{key}': writeCases(),
  'DELETE /cache/{key}': {
    200: { arrange: put('k') },
    400: { target: '/cache/http%3A%2F%2Fa' },
    412: { arrange: gone, headers: { 'if-match': '*' } },
  },
  'POST /cache': {
    200: {
      arrange: put('k'),
      headers: JSON_TYPE,
      body: '{"set":[{"key":"j","json":1},{"key":""},{"key":"t","text":"x"}],"get":["k","j","t","none",{"key":"k","ifNoneMatch":"*"}],"delete":["d",""]}',
    },
    400: { headers: JSON_TYPE, body: '{}' },
    413: { headers: JSON_TYPE, body: 'x'.repeat(60_001) },
  },
  'POST /v1/invalidate': {
    200: { headers: JSON_TYPE, body: '{"tags":["t"]}' },
    400: { headers: JSON_TYPE, body: '{}' },
    413: { headers: JSON_TYPE, body: 'x'.repeat(4 * 1024 * 1024 + 1) },
  },
  'GET /v1/stats': { 200: {} },
  'GET /v1/advice': { 200: {} },
  'GET /v1/explain': { 200: { arrange: put('k'), target: '/v1/explain?key=k' }, 400: {} },
  'GET /v1/audit': { 200: {} },
  'GET /v1/top': { 200: { target: '/v1/top?seconds=0.1' }, 400: { target: '/v1/top?limit=0' } },
  'GET /v1/instances': { 200: {} },
  'GET /v1/stream': { 200: {}, 400: { target: '/v1/stream?events=none' }, 503: { arrange: manyStreams } },
  'GET /metrics': { 200: {} },
  'GET /livez': { 200: {} },
  'GET /readyz': { 200: {}, 503: { arrange: unready } },
  'GET /openapi.json': { 200: {} },
}

function writeCases(): Readonly<Record<number, Case>> {
  return {
    200: { arrange: put('k'), body: 'y' },
    201: { arrange: gone, body: 'y' },
    400: { target: '/cache/k?ttl=5', body: 'y' },
    409: { arrange: listed, target: '/cache/k?namespace=redis', headers: { 'if-match': '*' }, body: 'y' },
    412: { arrange: put('k'), headers: { 'if-none-match': '*' }, body: 'y' },
    413: { body: 'y'.repeat(60_001) },
    415: { headers: { 'content-encoding': 'gzip' }, body: 'y' },
    507: { body: 'y'.repeat(55_000) },
  }
}

/** Everything the document says can happen: operation, status. */
function promised(): string[] {
  return operations().flatMap(([name, { responses }]) => Object.keys(responses).map((status) => `${name} ${status}`))
}

function operations(): [name: string, operation: Operation][] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, Operation] => [`${method.toUpperCase()} ${path}`, operation]),
  )
}

/** Performs a case, and holds its answer against the schema of its status and type. */
async function perform(name: string, status: number, given: Case, where = base): Promise<void> {
  const [method, template] = name.split(' ') as [string, string]
  const after = await (given.arrange ?? nothing)()
  const answer = await request(where + (given.target ?? template.replace('{key}', 'k')), {
    method: method as 'GET',
    ...(given.headers === undefined ? {} : { headers: given.headers }),
    ...(given.body === undefined ? {} : { body: given.body }),
  })
  expect(answer.statusCode).toBe(status)
  const { content } = operationOf(name).responses[status] as Operation['responses'][string]
  const type = String(answer.headers['content-type'] ?? '').split(';')[0] as string
  if (type === 'text/event-stream') {
    expect(Object.keys(content ?? {})).toEqual([type])
    await new Promise((resolve) => answer.body.once('readable', resolve))
    answer.body.on('error', () => {}).destroy()
  } else {
    const text = await answer.body.text()
    if (content === undefined) expect(text).toBe('')
    else check(content, type, text)
  }
  after()
}

function check(content: Readonly<Record<string, { readonly schema?: object }>>, type: string, text: string): void {
  const found = content[type] ?? content['*/*']
  expect(found, `content of type ${type}`).toBeDefined()
  if (found?.schema === undefined) return
  const validate = validatorOf(found.schema)
  const data: unknown = type === 'application/json' ? JSON.parse(text) : text
  expect(validate(data), JSON.stringify(validate.errors)).toBe(true)
}

function validatorOf(schema: object): ValidateFunction {
  return ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"doc#/components')) as object)
}

function operationOf(name: string): Operation {
  return operations().find(([one]) => one === name)?.[1] as Operation
}

describe('the OpenAPI document', () => {
  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator()
    const result = await validator.validate(structuredClone(document) as unknown as Record<string, unknown>)

    expect(result).toMatchObject({ valid: true })
    expect(validator.version).toBe('3.1')
  })

  it('names every endpoint, and no other', () => {
    const mounted = surface.endpoints.map(({ method, path }) => `${method} ${path.replace(':key', '{key}')}`)
    const named = operations().map(([name]) => name)

    expect(named.filter((name) => !name.startsWith('HEAD ')).sort()).toEqual(mounted.sort())
    expect(new Set(operations().map(([, { operationId }]) => operationId)).size).toBe(named.length)
    for (const { method, path, open } of surface.endpoints) {
      const { security } = operationOf(`${method} ${path.replace(':key', '{key}')}`)
      expect(security, path).toEqual(open === true ? [] : undefined)
    }
  })

  it('has a row for every endpoint in docs/reference/api.md', () => {
    const page = readFileSync(new URL('../../docs/reference/api.md', import.meta.url), 'utf8')

    for (const { method, path } of surface.endpoints) expect(page).toContain(`| \`${method} ${path}\` |`)
  })

  it('would notice an answer of another shape', () => {
    const { content } = operationOf('DELETE /cache/{key}').responses[200] as { content: Parameters<typeof check>[0] }
    const { content: error } = operationOf('DELETE /cache/{key}').responses[400] as { content: Parameters<typeof check>[0] }

    expect(() => check(content, 'application/json', '{"token":"a","deleted":1}')).toThrow()
    expect(() => check(content, 'text/plain', 'x')).toThrow()
    expect(() => check(error, 'application/json', '{"error":{"code":"nothing"}}')).toThrow()
  })

  it('promises what is tried below, and nothing else', () => {
    const tried = Object.entries(CASES).flatMap(([name, cases]) => Object.keys(cases).map((status) => `${name} ${status}`))
    const same = promised().filter((name) => !/ 40[13]$/.test(name))

    expect(same.sort()).toEqual(tried.sort())
  })

  for (const [name, cases] of Object.entries(CASES)) {
    for (const [status, given] of Object.entries(cases)) {
      it(`${name} answers ${status} as described`, () => perform(name, Number(status), given))
    }
    const open = ['/livez', '/readyz', '/openapi.json'].some((path) => name.endsWith(path))
    if (open) continue
    const body = name.startsWith('P') ? { body: 'x' } : {}
    it(`${name} answers 401 as described`, () => perform(name, 401, body, keyed))
    it(`${name} answers 403 as described`, () => perform(name, 403, { ...body, headers: { origin: 'http://evil.test' } }))
  }
})
