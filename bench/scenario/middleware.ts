/**
 * The shop behind forecache's middleware for `node:http`, with the demo's own route policies.
 */
import { readFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { parse } from 'yaml'
import { POLICIES } from '../../src/cli/demo/demo.ts'
import { forecache } from '../../src/entry/node.ts'

/** @returns the listener, cached */
export function createMiddleware(shop: RequestListener): RequestListener {
  const { routes } = parse(readFileSync(POLICIES, 'utf8')) as { routes: [] }
  const cached = forecache({ routes })(shop)
  return (request, response) => void cached(request, response)
}
