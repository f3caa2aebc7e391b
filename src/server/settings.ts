/**
 * The configuration as the parts of the gateway take it.
 *
 * Floor 5, room server. The one place where names of options become names of code, and files named there are read.
 */
import { ForecacheError } from '../model/errors.ts'
import type { Config, OriginSettings } from './config-schema.ts'
import { parseTrust } from './forward.ts'
import type { ListenerOptions } from './listener.ts'
import type { OriginOptions } from './origin.ts'
import { readOriginTls } from './origin-tls.ts'
import type { ReceiveSettings } from './receive.ts'
import type { TunnelOptions } from './tunnel.ts'

/** @throws FC_OPTION_VALUE where the configuration has no origin: without one there is no HTTP front */
export function originSettings({ origin }: Pick<Config, 'origin'>): OriginSettings {
  if (origin !== undefined) return origin
  throw new ForecacheError('FC_OPTION_VALUE', { name: 'origin.url', reason: 'is needed for an HTTP front' })
}

/** Without `tls`: its files are read elsewhere. */
export function listenerOptions({ limits, h2c }: Config): ListenerOptions {
  return {
    maxConnections: limits.connections,
    maxStreams: limits.streams,
    h2c,
    maxHeadBytes: limits.head,
    maxFields: limits.fields,
    headMs: limits.headTimeout,
    requestMs: limits.requestTimeout,
    writeMs: limits.writeTimeout,
    keepAliveMs: limits.keepAlive,
  }
}

export function originOptions(config: Config): OriginOptions {
  const origin = originSettings(config)
  return {
    url: origin.url,
    connectMs: origin.connectTimeout,
    headMs: origin.headTimeout,
    bodyIdleMs: origin.bodyTimeout,
    keepAliveMs: origin.keepAlive,
    connections: origin.connections,
    maxWaiting: origin.waiting,
    maxHeadBytes: origin.maxHead,
    http2: origin.http2,
    tls: origin.tls,
  }
}

/**
 * @param pseudonym our name in Via
 * @throws FC_OPTION_VALUE for a trusted proxy that is no address
 */
export function receiveSettings(config: Config, pseudonym: string): ReceiveSettings {
  const { limits, headers } = config
  return {
    limits: {
      maxTargetBytes: limits.target,
      maxFields: limits.fields,
      maxBodyBytes: limits.body,
      defaultAuthority: new URL(originSettings(config).url).host,
    },
    forward: { isTrusted: parseTrust(headers.trust), pseudonym },
    latency: headers.latency,
    bodyIdleMs: limits.bodyTimeout,
  }
}

/** @throws FC_TLS_FILE, FC_TLS_PEM */
export function tunnelOptions(config: Config): Omit<TunnelOptions, 'clock'> {
  const { limits } = config
  const { tls, url, headTimeout: headMs, maxHead: maxHeadBytes } = originSettings(config)
  return { url, headMs, idleMs: limits.tunnelTimeout, maxHeadBytes, tls: readOriginTls(tls, new URL(url)) }
}
