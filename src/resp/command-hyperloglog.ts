/**
 * PFADD, PFCOUNT and PFMERGE.
 *
 * Floor 4, room resp.
 */
import { estimate, Sketch } from '../keyspace/sketch.ts'
import { REGISTERS } from '../keyspace/sketch-sparse.ts'
import type { Call, Handler } from './embedded-call.ts'
import { type Refusal, refuseAs } from './embedded-errors.ts'

const NO_SKETCH = refuseAs('WRONGTYPE Key is not a valid HyperLogLog string value.')
const CORRUPT = refuseAs('INVALIDOBJ Corrupted HLL object detected')

/** @throws where something else stands there */
function sketchOf(call: Call, key: string): Sketch | undefined {
  const text = call.text(key)
  if (text === undefined) return undefined
  return Sketch.parse(text) ?? raised(NO_SKETCH)
}

function raised(refusal: Refusal): never {
  throw refusal
}

function keep(call: Call, key: string, sketch: Sketch): void {
  call.db.putText(key, sketch.text(), { form: 'raw', keepDeadline: true })
}

function add(call: Call): void {
  const key = call.arg(1)
  const found = sketchOf(call, key)
  const sketch = found ?? Sketch.empty()
  let isChanged = found === undefined
  for (let i = 2; i < call.count; i += 1) {
    const added = sketch.add(call.arg(i))
    if (added === undefined) throw CORRUPT
    if (added) isChanged = true
  }
  if (isChanged) {
    sketch.spoilCache()
    keep(call, key, sketch)
    call.changed(key, '$', 'pfadd')
  }
  call.out.integer(isChanged ? 1 : 0)
}

/** The greatest of every register. */
function merged(call: Call, keys: readonly string[]): { readonly registers: Uint8Array; readonly isDense: boolean } {
  const registers = new Uint8Array(REGISTERS)
  let isDense = false
  for (const key of keys) {
    const sketch = sketchOf(call, key)
    if (sketch === undefined) continue
    if (sketch.isDense) isDense = true
    if (!sketch.mergeInto(registers)) throw CORRUPT
  }
  return { registers, isDense }
}

function count(call: Call): void {
  const key = call.arg(1)
  if (call.count > 2) return call.out.whole(estimate(merged(call, call.args.slice(1)).registers))
  const sketch = sketchOf(call, key)
  if (sketch === undefined) return void call.out.integer(0)
  let known = sketch.cached
  if (known === undefined) {
    const registers = new Uint8Array(REGISTERS)
    if (!sketch.mergeInto(registers)) throw CORRUPT
    known = estimate(registers)
    sketch.keepCount(known)
    keep(call, key, sketch)
    call.db.changed(key)
  }
  call.out.whole(known)
}

function merge(call: Call): void {
  const key = call.arg(1)
  const { registers, isDense } = merged(call, call.args.slice(1))
  const target = sketchOf(call, key) ?? Sketch.empty()
  if (isDense && !target.makeDense()) throw CORRUPT
  for (const [register, value] of registers.entries()) if (value > 0) target.raise(register, value)
  target.spoilCache()
  keep(call, key, target)
  call.changed(key, '$', 'pfadd')
  call.out.ok()
}

export const HYPERLOGLOG_COMMANDS: Readonly<Record<string, Handler>> = {
  pfadd: add,
  pfcount: count,
  pfmerge: merge,
}
