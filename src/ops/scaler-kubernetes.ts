/**
 * Kubernetes: the `scale` subresource of a Deployment, StatefulSet or ReplicaSet.
 *
 * Floor 4, room ops. Speaks the API with the pod's own service account, whose token is read anew for each call, since it is
 * rotated. An update names the version that was read: whoever changed the number meanwhile, a newer leader among them, makes
 * it a conflict, and it is refused. Needs the verbs `get` and `update` on `deployments/scale`.
 *
 * @see Kubernetes API reference: Scale autoscaling/v1
 */
import { readFile } from 'node:fs/promises'
import { Agent, request } from 'undici'
import { z } from 'zod'
import { ForecacheError, textOf } from '../model/errors.ts'
import type { Scaler } from './scaler-port.ts'

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/** Schema of `scaler.kubernetes`. */
export const KUBERNETES_SCALER = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, { error: "expected a resource's name" })
    .meta({ description: 'Name of the resource whose pods are the instances.' }),
  kind: z.enum(['deployments', 'statefulsets', 'replicasets']).default('deployments').meta({ description: 'What it is.' }),
  namespace: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, { error: 'expected a namespace' })
    .optional()
    .meta({ shown: "the pod's own", description: 'Where it is.' }),
  api: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({ shown: 'from KUBERNETES_SERVICE_HOST', description: 'Address of the API server.' }),
  account: z
    .string()
    .min(1)
    .default(ACCOUNT)
    .meta({ description: 'Directory with the `token`, `namespace` and `ca.crt` of a service account.' }),
})

/** What of a Scale is looked at. */
const SCALE = z.looseObject({
  metadata: z.looseObject({ resourceVersion: z.string().optional() }).optional(),
  spec: z.looseObject({ replicas: z.int().min(0).optional() }).optional(),
})
const MAX_ANSWER_BYTES = 1024 * 1024

/** @param env names the API server where the options do not */
export function createKubernetesScaler(
  options: z.output<typeof KUBERNETES_SCALER>,
  env: Readonly<Record<string, string | undefined>>,
): Scaler {
  const { kind, account } = options
  const name = `Kubernetes ${kind}/${options.name}`
  const base = options.api ?? inCluster(env, name)
  let agent: Agent | undefined
  const send = async (signal: AbortSignal, scale?: object): Promise<{ status: number; text: string }> => {
    const token = (await readFile(`${account}/token`, 'utf8')).trim()
    const namespace = options.namespace ?? (await readFile(`${account}/namespace`, 'utf8')).trim()
    if (agent === undefined && base.startsWith('https:')) {
      agent = new Agent({ connections: 1, connect: { ca: await readFile(`${account}/ca.crt`, 'utf8') } })
    }
    const path = `/apis/apps/v1/namespaces/${namespace}/${kind}/${options.name}/scale`
    const answer = await request(new URL(path, base), {
      method: scale === undefined ? 'GET' : 'PUT',
      headers: { authorization: `Bearer ${token}`, accept: 'application/json', 'content-type': 'application/json' },
      signal,
      ...(agent && { dispatcher: agent }),
      ...(scale && { body: JSON.stringify(scale) }),
    })
    return { status: answer.statusCode, text: await readText(answer.body) }
  }
  return {
    name,
    async read(signal) {
      const { metadata, spec } = parse(name, await asked(name, () => send(signal)))
      return { desired: spec?.replicas ?? 0, version: metadata?.resourceVersion }
    },
    async scale({ desired, version }, signal) {
      const namespace = options.namespace ?? (await asked(name, () => readFile(`${account}/namespace`, 'utf8'))).trim()
      const metadata = { name: options.name, namespace, ...(version && { resourceVersion: version }) }
      const scale = { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata, spec: { replicas: desired } }
      const answer = await asked(name, () => send(signal, scale))
      if (answer.status === 409) throw new ForecacheError('FC_SCALER_REFUSED', { name, reason: 'it was changed meanwhile' })
      parse(name, answer)
    },
  }
}

function inCluster(env: Readonly<Record<string, string | undefined>>, name: string): string {
  const host = env['KUBERNETES_SERVICE_HOST']
  if (host === undefined || host === '') {
    const reason = 'this is no pod: KUBERNETES_SERVICE_HOST is not set; name the API server with scaler.kubernetes.api'
    throw new ForecacheError('FC_SCALER_FAILED', { name, reason })
  }
  return `https://${host.includes(':') ? `[${host}]` : host}:${env['KUBERNETES_SERVICE_PORT'] ?? '443'}`
}

function parse(name: string, { status, text }: { readonly status: number; readonly text: string }): z.output<typeof SCALE> {
  if (status < 200 || status > 299) {
    throw new ForecacheError('FC_SCALER_FAILED', { name, reason: `answered ${status}: ${text.slice(0, 200)}` })
  }
  try {
    return SCALE.parse(JSON.parse(text))
  } catch (cause) {
    throw new ForecacheError('FC_SCALER_FAILED', { name, reason: 'the answer is no Scale' }, { cause })
  }
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.byteLength
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`the answer exceeds ${MAX_ANSWER_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

async function asked<T>(name: string, send: () => Promise<T>): Promise<T> {
  try {
    return await send()
  } catch (cause) {
    if (cause instanceof ForecacheError) throw cause
    const reason = cause instanceof Error ? cause.message : textOf(cause)
    throw new ForecacheError('FC_SCALER_FAILED', { name, reason }, { cause })
  }
}
