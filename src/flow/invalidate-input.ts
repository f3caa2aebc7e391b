/**
 * What a caller may name to be invalidated, checked before anything is done.
 *
 * Floor 3, room flow. Pure.
 */
import { ForecacheError } from '../model/errors.ts'
import type { InvalidateInput } from './invalidate.ts'

const LISTS = ['keys', 'tags', 'prefixes', 'urls', 'namespaces', 'events'] as const
const FLAGS = ['all', 'soft', 'dryRun', 'source']

/** @throws FC_OPTION_TYPE, FC_OPTION_UNKNOWN */
export function checkInvalidate(input: InvalidateInput): void {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new ForecacheError('FC_OPTION_TYPE', {
      name: 'invalidate',
      expected: 'an object such as {tags: [...]}',
      given: input === null ? 'null' : typeof input,
    })
  }
  for (const name of Object.keys(input)) {
    if (!(LISTS as readonly string[]).includes(name) && !FLAGS.includes(name)) {
      throw new ForecacheError('FC_OPTION_UNKNOWN', { name: `invalidate.${name}`, known: [...LISTS, ...FLAGS].join(', ') })
    }
  }
  for (const name of LISTS) {
    const given = input[name]
    if (given !== undefined && !Array.isArray(given)) {
      throw new ForecacheError('FC_OPTION_TYPE', { name: `invalidate.${name}`, expected: 'a list', given: typeof given })
    }
  }
  for (const name of ['prefixes', 'urls', 'namespaces'] as const) {
    for (const given of input[name] ?? []) wrongUnless('string', `invalidate.${name}`, given)
  }
  for (const name of ['all', 'soft', 'dryRun'] as const) wrongUnless('boolean', `invalidate.${name}`, input[name] ?? false)
  wrongUnless('string', 'invalidate.source', input.source ?? '')
}

function wrongUnless(expected: 'string' | 'boolean', name: string, given: unknown): void {
  if (typeof given !== expected)
    throw new ForecacheError('FC_OPTION_TYPE', { name, expected: `a ${expected}`, given: given === null ? 'null' : typeof given })
}
