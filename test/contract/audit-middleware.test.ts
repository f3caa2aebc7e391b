/** The audit of a middleware: the handler answers once more, behind the response that its client has got. */
import { request } from 'undici'
import { describe, expect, it } from 'vitest'
import { createCache } from '../../src/flow/cache.ts'
import { forecache } from '../../src/entry/node.ts'
import { originHere } from '../support/gateway-here.ts'
import { until } from '../support/redis-here.ts'

describe('audit of a middleware', () => {
  it('has the handler say what it has, and lets clients get what stands', async () => {
    const cache = createCache({ audit: { share: 1, perSecond: 1000 } })
    let [price, runs] = [1, 0]
    const wrap = forecache({ cache })
    const url = await originHere(
      wrap((_, response) => {
        runs += 1
        response.setHeader('cache-control', 'max-age=60')
        response.end(`{"price":${price}}`)
      }),
    )
    const get = async (): Promise<string> => (await request(url)).body.text()
    const { meter } = cache.engine

    expect(await get()).toBe('{"price":1}')
    expect(await get()).toBe('{"price":1}')
    await until(() => meter.read('auditCurrent') === 1, 'the first check')
    price = 2
    expect(await get()).toBe('{"price":1}')
    await until(() => meter.read('auditOutdated') === 1, 'the second check')
    expect(await get()).toBe('{"price":1}')
    await until(() => runs === 4, 'the third check')

    expect(cache.engine.audit?.violations()).toEqual([])
  })
})
