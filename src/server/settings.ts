/**
 * The configuration as the parts of the gateway take it.
 *
 * Floor 5, room server. The one place where names of options become names of code, and files named there are read.
 */
import type { Config } from './config-schema.ts'
import { parseTrust } from './forward.ts'
import type { ListenerOptions } from './listener.ts'
import type { OriginOptions } from './origin.ts'
import { readOriginTls } from './origin-tls.ts'
import type { ReceiveSettings } from './receive.ts'
import type { TunnelOptions } from './tunnel.ts'

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

export function originOptions({ origin }: Config): OriginOptions {
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
export function receiveSettings({ limits, headers, origin }: Config, pseudonym: string): ReceiveSettings {
  return {
    limits: {
      maxTargetBytes: limits.target,
      maxFields: limits.fields,
      maxBodyBytes: limits.body,
      defaultAuthority: new URL(origin.url).host,
    },
    forward: { isTrusted: parseTrust(headers.trust), pseudonym },
    latency: headers.latency,
    bodyIdleMs: limits.bodyTimeout,
  }
}

/** @throws FC_TLS_FILE, FC_TLS_PEM */
export function tunnelOptions({ limits, origin }: Config): Omit<TunnelOptions, 'clock'> {
  const { url, headTimeout: headMs, maxHead: maxHeadBytes } = origin
  return { url, headMs, idleMs: limits.tunnelTimeout, maxHeadBytes, tls: readOriginTls(origin.tls, new URL(url)) }
}
