/**
 * Addresses and other flags as people write them, checked while the command line is read.
 *
 * Floor 6, room cli. What is wrong becomes commander's usage error, exit code 2.
 */
import { InvalidArgumentError } from 'commander'
import { parseDuration, parseSize } from '../model/units.ts'
import type { Address } from './demo/port.ts'

/** `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`, or a port alone (then 127.0.0.1). */
export function parseAddress(text: string): Address {
  const match = /^(?:(\[[0-9a-fA-F:.]+\]|[^\s:[\]]+):)?(\d{1,5})$/.exec(text)
  const port = Number(match?.[2])
  if (match === null || port > 65_535) throw new InvalidArgumentError('Expected HOST:PORT or PORT, such as 127.0.0.1:8080.')
  return { host: (match[1] ?? '127.0.0.1').replace(/^\[|\]$/g, ''), port }
}

/** The other way round. */
export function showAddress({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** An absolute http or https URL. */
export function parseUrl(text: string): URL {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new InvalidArgumentError('Expected an http or https URL, such as http://127.0.0.1:3000.')
  }
  return url
}

/** Scheme, host and port of an http or https URL, without a path. */
export function parseOrigin(text: string): string {
  const url = parseUrl(text)
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '') {
    throw new InvalidArgumentError('Expected scheme, host and port alone, such as http://127.0.0.1:3000.')
  }
  return url.origin
}

/** A whole number from 1. */
export function parsePositive(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < 1 || value > 100_000)
    throw new InvalidArgumentError('Expected a whole number from 1 to 100000.')
  return value
}

/** A number of workers, or `auto`; handed on as it was written. */
export function checkWorkers(text: string): string {
  if (text === 'auto' || (/^\d{1,3}$/.test(text) && Number(text) >= 1 && Number(text) <= 256)) return text
  throw new InvalidArgumentError('Expected auto or a whole number from 1 to 256.')
}

/** A size such as `256MiB`; handed on as it was written. */
export function checkSize(text: string): string {
  try {
    parseSize(text)
    return text
  } catch {
    throw new InvalidArgumentError('Expected a size such as 64MiB, 1GiB or bytes.')
  }
}

/** An API key of the administration; the flag may be given several times. */
export function gatherKey(value: string, former: readonly string[] = []): string[] {
  if (value.length < 16) throw new InvalidArgumentError('Expected at least 16 characters.')
  return [...former, value]
}

/** A duration such as `5s`, ms. */
export function parseSpan(text: string): number {
  try {
    return parseDuration(text)
  } catch {
    throw new InvalidArgumentError('Expected a duration such as 500ms, 10s, 2m.')
  }
}

/** Gathers a flag that may be given several times. */
export function gather(value: string, former: readonly string[] = []): string[] {
  return [...former, value]
}
