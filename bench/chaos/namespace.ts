/**
 * A network of its own for one instance: a namespace, one link for its clients and origin, another one for the store, which can
 * be pulled out. Needs root and `ip`.
 */
import { spawnSync } from 'node:child_process'

let next = 0

/** See the module's header. */
export class Namespace {
  readonly name: string
  /** Host's and instance's address, on the link for clients and on the link for the store. */
  readonly clients: { readonly host: string; readonly inside: string }
  readonly store: { readonly host: string; readonly inside: string }

  /** @throws where this is not permitted */
  constructor() {
    next += 1
    const id = `fc${process.pid % 100_000}x${next}`
    this.name = id
    const net = `10.${200 + (next % 50)}.${process.pid % 250}`
    this.clients = { host: `${net}.1`, inside: `${net}.2` }
    this.store = { host: `${net}.5`, inside: `${net}.6` }
    ip('netns', 'add', id)
    try {
      for (const [link, { host, inside }] of [['c', this.clients] as const, ['s', this.store] as const]) {
        ip('link', 'add', `${id}${link}`, 'type', 'veth', 'peer', 'name', `${link}0`, 'netns', id)
        ip('addr', 'add', `${host}/30`, 'dev', `${id}${link}`)
        ip('link', 'set', `${id}${link}`, 'up')
        ip('-n', id, 'addr', 'add', `${inside}/30`, 'dev', `${link}0`)
        ip('-n', id, 'link', 'set', `${link}0`, 'up')
      }
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** Put before a command that is to run inside. */
  get before(): readonly string[] {
    return ['ip', 'netns', 'exec', this.name]
  }

  /** Pulls the link to the store out: packets vanish, connections stand. */
  pull(): void {
    ip('link', 'set', `${this.name}s`, 'down')
  }

  plug(): void {
    ip('link', 'set', `${this.name}s`, 'up')
  }

  close(): void {
    for (const link of ['c', 's']) spawnSync('ip', ['link', 'del', `${this.name}${link}`])
    spawnSync('ip', ['netns', 'del', this.name])
  }
}

let reason: string | undefined | null = null

/** @returns why there can be none here; undefined: there can */
export function whyNoNamespaces(): string | undefined {
  if (reason !== null) return reason
  try {
    new Namespace().close()
    reason = undefined
  } catch (error) {
    reason = `needs network namespaces: ${error instanceof Error ? error.message : String(error)}`
  }
  return reason
}

function ip(...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync('ip', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(error?.message ?? stderr.trim())
}
