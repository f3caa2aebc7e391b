/**
 * What a `Wire` has been told, in short; and gateways with and without the lane for tests that measure time.
 */
import { onTestFinished } from 'vitest'
import { type Arm, ForwardClock, startArm, Wire } from './lane-arm.ts'

/** With the lane, and by `node:http` alone. */
export const WAYS: readonly (readonly [name: string, lane: boolean])[] = [
  ['in the lane', true],
  ['by node:http alone', false],
]

/** A gateway for this test, with `/u/h1` stored. */
export async function gatewayOf(lane: boolean, values: Readonly<Record<string, unknown>> = {}): Promise<Arm> {
  const arm = await startArm(lane ? 'lane' : 'http', new ForwardClock(), { ...values, lane })
  onTestFinished(() => arm.close())
  const wire = open(arm)
  wire.send(get('h1'))
  await until(() => wire.text.includes('#1>'), '/u/h1 is stored')
  wire.socket.destroy()
  return arm
}

/** A connection for this test. */
export function open(arm: Arm): Wire {
  const wire = new Wire(arm.port)
  onTestFinished(() => void wire.socket.destroy())
  return wire
}

/** A connection to the api port for this test. */
export function openApi(arm: Arm): Wire {
  const wire = new Wire(arm.apiPort)
  onTestFinished(() => void wire.socket.destroy())
  return wire
}

/** @param lines each ended by CRLF */
export function get(name: string, lines = ''): string {
  return `GET /u/${name} HTTP/1.1\r\nHost: a.test\r\n${lines}\r\n`
}

/** Every answer so far as `status x-cache body`, the body only where the origin wrote it whole. */
export function told(wire: Wire): string[] {
  if (wire.text === '') return []
  return wire.text.split(/(?=HTTP\/1\.1 \d)/).map((answer) => {
    const cache = /\r\nx-cache: (\w+)/.exec(answer)?.[1] ?? '-'
    return `${answer.slice(9, 12)} ${cache} ${/<[A-Z]+ [^>]*>/.exec(answer)?.[0] ?? ''}`.trimEnd()
  })
}

export async function until(holds: () => boolean, what: string, withinMs = 5000): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Waits until the gateway closes. @returns ms it took */
export async function closing(wire: Wire, withinMs = 5000): Promise<number> {
  const startedAt = performance.now()
  await until(() => wire.isOver, `closed; told ${JSON.stringify(told(wire))}`, withinMs)
  return performance.now() - startedAt
}
