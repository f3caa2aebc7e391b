/**
 * AWS ECS: the desired count of a service.
 *
 * Floor 4, room ops. `@aws-sdk/client-ecs` is an optional peer, imported when it is first asked; region and credentials are
 * found as that SDK finds them (environment, task role, profile).
 *
 * @see Amazon ECS API reference: UpdateService, DescribeServices
 */
import { z } from 'zod'
import { ForecacheError, textOf } from '../model/errors.ts'
import type { Scaler } from './scaler-port.ts'

/** Schema of `scaler.ecs`. */
export const ECS_SCALER = z.strictObject({
  cluster: z.string().min(1).meta({ description: 'Name or ARN of the cluster.' }),
  service: z.string().min(1).meta({ description: 'Name or ARN of the service whose tasks are the instances.' }),
  region: z.string().min(1).optional().meta({ shown: 'as the SDK finds it', description: 'Region, such as eu-central-1.' }),
  endpoint: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({ shown: "AWS's own", description: 'Another endpoint, such as a VPC endpoint.' }),
})

/** What is used of the SDK; in words of our own, so that types need no package that is not installed. */
export interface EcsModule {
  readonly ECSClient: new (config: {
    readonly maxAttempts: number
    readonly region?: string
    readonly endpoint?: string
  }) => EcsClient
  readonly DescribeServicesCommand: new (input: { cluster: string; services: string[] }) => object
  readonly UpdateServiceCommand: new (input: { cluster: string; service: string; desiredCount: number }) => object
}

/** Sends commands. */
export interface EcsClient {
  send(command: object, options: { readonly abortSignal: AbortSignal }): Promise<unknown>
}

const SERVICES = z.looseObject({
  services: z.array(z.looseObject({ desiredCount: z.int().min(0).optional() })).optional(),
  failures: z.array(z.looseObject({ reason: z.string().optional() })).optional(),
})

const PACKAGE = '@aws-sdk/client-ecs'

/** @param load imports the SDK; default: the package */
export function createEcsScaler(options: z.output<typeof ECS_SCALER>, load: () => Promise<EcsModule> = importSdk): Scaler {
  const { cluster, service, region, endpoint } = options
  const name = `ECS service ${cluster}/${service}`
  let opened: Promise<{ readonly sdk: EcsModule; readonly client: EcsClient }> | undefined
  const open = (): NonNullable<typeof opened> => {
    opened ??= load().then(
      (sdk) => {
        const client = new sdk.ECSClient({ maxAttempts: 2, ...(region && { region }), ...(endpoint && { endpoint }) })
        return { sdk, client }
      },
      (cause: unknown) => {
        opened = undefined
        throw new ForecacheError('FC_SCALER_PEER', { purpose: 'scaling an ECS service', name: PACKAGE }, { cause })
      },
    )
    return opened
  }
  return {
    name,
    async read(signal) {
      const { sdk, client } = await open()
      const command = new sdk.DescribeServicesCommand({ cluster, services: [service] })
      const { services, failures } = await asked(name, async () =>
        SERVICES.parse(await client.send(command, { abortSignal: signal })),
      )
      const desired = services?.[0]?.desiredCount
      if (desired !== undefined) return { desired }
      throw new ForecacheError('FC_SCALER_FAILED', { name, reason: failures?.[0]?.reason ?? 'no such service' })
    },
    async scale({ desired }, signal) {
      const { sdk, client } = await open()
      const command = new sdk.UpdateServiceCommand({ cluster, service, desiredCount: desired })
      await asked(name, () => client.send(command, { abortSignal: signal }))
    },
  }
}

/** Seen through our own words: its types are not compared with them here. */
function importSdk(): Promise<EcsModule> {
  return import('@aws-sdk/client-ecs') as Promise<unknown> as Promise<EcsModule>
}

async function asked<T>(name: string, send: () => Promise<T>): Promise<T> {
  try {
    return await send()
  } catch (cause) {
    const reason = cause instanceof Error ? `${cause.name}: ${cause.message}` : textOf(cause)
    throw new ForecacheError('FC_SCALER_FAILED', { name, reason }, { cause })
  }
}
