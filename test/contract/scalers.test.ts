import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ForecacheError } from '../../src/model/errors.ts'
import { createCommandScaler } from '../../src/ops/scaler-command.ts'
import { createEcsScaler, ECS_SCALER } from '../../src/ops/scaler-ecs.ts'
import { createKubernetesScaler, KUBERNETES_SCALER } from '../../src/ops/scaler-kubernetes.ts'
import type { ScaleOrder } from '../../src/ops/scaler-port.ts'
import { createWebhookScaler } from '../../src/ops/scaler-webhook.ts'
import { type Answering, type HttpHere, httpHere } from '../support/http-here.ts'

const ORDER: ScaleOrder = { desired: 4, from: 2, term: 7, reason: 'cpu 0.9 wants 4', version: undefined }
const soon = (ms = 5000): AbortSignal => AbortSignal.timeout(ms)
const servers: HttpHere[] = []
const serve = async (answer: Answering): Promise<HttpHere> => {
  const server = await httpHere(answer)
  servers.push(server)
  return server
}
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: ForecacheError) => error.code,
  )

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'forecache-scaler-'))
})
afterEach(async () => {
  rmSync(directory, { recursive: true, force: true })
  for (const server of servers.splice(0)) await server.close()
})

describe('AWS ECS, through its own SDK', () => {
  const NAMES = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_REGION'] as const
  const former = NAMES.map((name) => process.env[name])
  beforeEach(() => {
    for (const name of NAMES) process.env[name] = name === 'AWS_REGION' ? 'eu-central-1' : 'test'
  })
  afterEach(() => {
    NAMES.forEach((name, at) => {
      if (former[at] === undefined) delete process.env[name]
      else process.env[name] = former[at]
    })
  })

  /** The part of the service that is asked: JSON 1.1, the operation in a field. */
  function ecs(state: { desiredCount: number }): Answering {
    return ({ headers, body }) => {
      const input = JSON.parse(body) as { cluster: string; service?: string; services?: string[]; desiredCount?: number }
      const operation = String(headers['x-amz-target']).split('.')[1]
      if (input.cluster !== 'main')
        return { status: 400, body: { __type: 'ClusterNotFoundException', message: 'Cluster not found.' } }
      if (operation === 'DescribeServices') {
        const found = input.services?.[0] === 'cache'
        return {
          status: 200,
          body: found ? { services: [state], failures: [] } : { services: [], failures: [{ reason: 'MISSING' }] },
        }
      }
      state.desiredCount = input.desiredCount ?? state.desiredCount
      return { status: 200, body: { service: state } }
    }
  }

  it('reads and sets the desired count of a service, signed', async () => {
    const state = { desiredCount: 2 }
    const server = await serve(ecs(state))
    const scaler = createEcsScaler(ECS_SCALER.parse({ cluster: 'main', service: 'cache', endpoint: server.url }))

    expect(await scaler.read(soon())).toEqual({ desired: 2 })
    await scaler.scale(ORDER, soon())

    expect(state.desiredCount).toBe(4)
    const update = server.asked.at(-1)
    expect(update?.headers['x-amz-target']).toBe('AmazonEC2ContainerServiceV20141113.UpdateService')
    expect(update?.headers['content-type']).toBe('application/x-amz-json-1.1')
    expect(update?.headers.authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=test\/\d{8}\/eu-central-1\/ecs\/aws4_request/)
    expect(JSON.parse(update?.body ?? '')).toEqual({ cluster: 'main', service: 'cache', desiredCount: 4 })
  })

  it('says what the service says', async () => {
    const server = await serve(ecs({ desiredCount: 2 }))
    const of = (cluster: string, service: string): ReturnType<typeof createEcsScaler> =>
      createEcsScaler({ cluster, service, endpoint: server.url })

    await expect(of('other', 'cache').scale(ORDER, soon())).rejects.toThrow('ClusterNotFoundException: Cluster not found.')
    await expect(of('main', 'other').read(soon())).rejects.toThrow('MISSING')
  })

  it('takes no longer than it may', async () => {
    const server = await serve(() => undefined)
    const scaler = createEcsScaler({ cluster: 'main', service: 'cache', endpoint: server.url })
    const began = performance.now()

    expect(await codeOf(scaler.scale(ORDER, soon(200)))).toBe('FC_SCALER_FAILED')
    expect(performance.now() - began).toBeLessThan(2000)
  })

  it('names the package that is missing', async () => {
    const scaler = createEcsScaler({ cluster: 'main', service: 'cache' }, () => Promise.reject(new Error('ERR_MODULE_NOT_FOUND')))
    await expect(scaler.read(soon())).rejects.toThrow('npm install @aws-sdk/client-ecs')
  })
})

describe('Kubernetes, the scale subresource', () => {
  const PATH = '/apis/apps/v1/namespaces/shop/deployments/cache/scale'
  const withAccount = (): string => {
    writeFileSync(join(directory, 'token'), 'secret-token\n')
    writeFileSync(join(directory, 'namespace'), 'shop')
    return directory
  }

  /** Compares the version, as the API server does. */
  function kubernetes(state: { replicas: number; version: number }): Answering {
    return ({ method, url, headers, body }) => {
      const status = (code: number, reason: string): ReturnType<Answering> => ({
        status: code,
        body: { kind: 'Status', code, reason },
      })
      if (headers.authorization !== 'Bearer secret-token') return status(401, 'Unauthorized')
      if (url !== PATH) return status(404, 'NotFound')
      if (method === 'PUT') {
        const scale = JSON.parse(body) as { metadata: { resourceVersion?: string }; spec: { replicas: number } }
        const given = scale.metadata.resourceVersion
        if (given !== undefined && given !== String(state.version)) return status(409, 'Conflict')
        state.replicas = scale.spec.replicas
        state.version += 1
      }
      const metadata = { name: 'cache', namespace: 'shop', resourceVersion: String(state.version) }
      return { status: 200, body: { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata, spec: { replicas: state.replicas } } }
    }
  }
  const scalerAt = (api: string): ReturnType<typeof createKubernetesScaler> =>
    createKubernetesScaler(KUBERNETES_SCALER.parse({ name: 'cache', api, account: withAccount() }), {})

  it('reads and sets the number of replicas with the account of the pod', async () => {
    const state = { replicas: 2, version: 41 }
    const server = await serve(kubernetes(state))
    const scaler = scalerAt(server.url)

    const { desired, version } = await scaler.read(soon())
    expect({ desired, version }).toEqual({ desired: 2, version: '41' })
    await scaler.scale({ ...ORDER, version }, soon())

    expect(state).toEqual({ replicas: 4, version: 42 })
    expect(JSON.parse(server.asked.at(-1)?.body ?? '')).toEqual({
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { name: 'cache', namespace: 'shop', resourceVersion: '41' },
      spec: { replicas: 4 },
    })
  })

  it('is refused when somebody else has changed the number meanwhile', async () => {
    const state = { replicas: 2, version: 41 }
    const scaler = scalerAt((await serve(kubernetes(state))).url)
    const { version } = await scaler.read(soon())
    state.version = 50

    expect(await codeOf(scaler.scale({ ...ORDER, version }, soon()))).toBe('FC_SCALER_REFUSED')
    expect(state.replicas).toBe(2)
  })

  it('takes a token that was rotated, and says what the server says', async () => {
    const scaler = scalerAt((await serve(kubernetes({ replicas: 2, version: 1 }))).url)
    writeFileSync(join(directory, 'token'), 'old')
    await expect(scaler.read(soon())).rejects.toThrow('answered 401')
    writeFileSync(join(directory, 'token'), 'secret-token')
    expect(await scaler.read(soon())).toMatchObject({ desired: 2 })
    rmSync(join(directory, 'token'))
    expect(await codeOf(scaler.read(soon()))).toBe('FC_SCALER_FAILED')
  })

  it('finds the API server where the cluster says, and says so where there is none', () => {
    const options = KUBERNETES_SCALER.parse({ name: 'cache' })
    expect(createKubernetesScaler(options, { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' }).name).toBe(
      'Kubernetes deployments/cache',
    )
    expect(() => createKubernetesScaler(options, {})).toThrow('KUBERNETES_SERVICE_HOST is not set')
  })
})

describe('a webhook', () => {
  it('is posted the order, with its term', async () => {
    const server = await serve(() => ({ status: 204 }))
    await createWebhookScaler({ url: `${server.url}/scale`, headers: { authorization: 'Bearer x' } }).scale(ORDER, soon())

    expect(server.asked).toHaveLength(1)
    expect(server.asked[0]).toMatchObject({ method: 'POST', url: '/scale' })
    expect(server.asked[0]?.headers).toMatchObject({ 'forecache-term': '7', authorization: 'Bearer x' })
    expect(JSON.parse(server.asked[0]?.body ?? '')).toEqual({ desired: 4, from: 2, term: 7, reason: 'cpu 0.9 wants 4' })
  })

  it('may refuse an old term, may fail, and may not take too long', async () => {
    const statuses = [409, 500]
    const server = await serve(() => (statuses.length === 0 ? undefined : { status: statuses.shift() as number }))
    const scaler = createWebhookScaler({ url: server.url, headers: {} })

    expect(await codeOf(scaler.scale(ORDER, soon()))).toBe('FC_SCALER_REFUSED')
    expect(await codeOf(scaler.scale(ORDER, soon()))).toBe('FC_SCALER_FAILED')
    expect(await codeOf(scaler.scale(ORDER, soon(100)))).toBe('FC_SCALER_FAILED')
  })
})

describe('a command', () => {
  const run = (script: string): ReturnType<typeof createCommandScaler> => createCommandScaler(['/bin/sh', '-c', script])

  it('finds the order in its environment', async () => {
    const out = join(directory, 'out')
    await run(`echo "$FORECACHE_SCALE_FROM $FORECACHE_SCALE_TO $FORECACHE_SCALE_TERM $FORECACHE_SCALE_REASON" > ${out}`).scale(
      ORDER,
      soon(),
    )
    expect(readFileSync(out, 'utf8')).toBe('2 4 7 cpu 0.9 wants 4\n')
  })

  it('has failed when it ends with another code, cannot be started, or runs too long', async () => {
    await expect(run('exit 3').scale(ORDER, soon())).rejects.toThrow('it ended with 3')
    await expect(createCommandScaler([join(directory, 'none')]).scale(ORDER, soon())).rejects.toThrow('ENOENT')
    await expect(run('exec sleep 60').scale(ORDER, soon(100))).rejects.toThrow('was killed')
  })
})
