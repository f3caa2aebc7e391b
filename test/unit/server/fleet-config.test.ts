import { describe, expect, it } from 'vitest'
import { createGateway } from '../../../src/server/gateway.ts'
import { parseConfig } from '../../../src/server/config.ts'
import type { Config } from '../../../src/server/config-schema.ts'

const parse = (text: string): Config => parseConfig({ text: `origin: { url: "http://127.0.0.1:1" }\n${text}`, file: 'f.yaml' })

describe('configuration: registry, scaler, snapshot', () => {
  it('has a registry by default, and neither scaler nor snapshot', () => {
    const { registry, scaler, snapshot } = parse('')

    expect(registry).toEqual({
      ...{ enabled: true, heartbeat: 1000, ttl: 5000, hotKeys: 2000, hotEvery: 10_000, warm: 5000 },
    })
    expect([scaler, snapshot]).toEqual([undefined, undefined])
  })

  it('fills in what a scaler and a snapshot leave open', () => {
    const { scaler, snapshot } = parse('scaler: { command: [./scale] }\nsnapshot: { file: hot }')

    expect(scaler).toMatchObject({ min: 1, max: 10, targets: { cpu: 0.6 }, every: 10_000, lease: 10_000, dryRun: false })
    expect(snapshot).toMatchObject({ interval: 60_000, maxBytes: 64 * 1024 * 1024, deadline: 3000, unproven: 'drop' })
  })

  it('takes options from the environment', () => {
    const env = { FORECACHE_ORIGIN_URL: 'http://127.0.0.1:1', FORECACHE_SNAPSHOT_FILE: '/tmp/hot', FORECACHE_REGISTRY_TTL: '9s' }
    const { registry, snapshot } = parseConfig({ env })

    expect([registry.ttl, snapshot?.file]).toEqual([9000, '/tmp/hot'])
  })

  it.each([
    ['scaler: {}', 'expected exactly one of ecs, kubernetes, webhook, command'],
    ['scaler: { command: [a], webhook: { url: "http://a" } }', 'expected exactly one of'],
    ['scaler: { command: [a], min: 5, max: 2 }', 'must not exceed scaler.max'],
    ['scaler: { command: [a], targets: { cpus: 1 } }', 'did you mean cpu?'],
    ['scaler: { ecs: { cluster: a } }', 'scaler.ecs.service: is needed'],
    ['scaler: { kubernetes: { name: "Not Good" } }', "expected a resource's name"],
    ['registry: { heartbeat: 2s, ttl: 3s }', 'must be at least twice registry.heartbeat'],
    ['registry: { prefix: "{a}" }', 'expected at most 64 letters'],
    ['snapshot: {}', 'snapshot.file: is needed'],
    ['snapshot: { file: a, unproven: always }', 'unproven'],
    ['snapshot: { file: a, maxBytes: 5 }', 'expected at least 1KiB'],
  ])('refuses %j', (text, reason) => {
    expect(() => parse(text)).toThrow(reason)
    expect(() => parse(text)).toThrow(/^FC_CONFIG_VALUE: f\.yaml:2:/)
  })

  it('refuses a scaler that has no store to elect its leader in', () => {
    expect(() => createGateway(parse('scaler: { command: [a] }'))).toThrow('give registry.url or l2.url')
  })
})
