/**
 * The process's own memory, as the governor reads it; and V8 told to keep little more than what lives.
 *
 * Floor 5, room server. For processes that are nothing but a gateway: in an application's process memory is not ours to
 * judge. Flags are set while the process runs; one that this V8 does not know is left out. Measured in docs/decisions/011.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Engine } from '../flow/engine.ts'
import type { ResidentSource } from '../flow/governor.ts'

/** From V8 14 (Node 25) on, buffers beside the heap can count towards the next collection. */
const EXTERNAL_FROM_V8 = 14

/** Gives this process into the governor's care; call it when the ports are open and memory is still empty. */
export function watchMemory({ governor }: Engine): void {
  tuneHeap()
  governor.watch(systemResident())
}

/** Once, before memory is filled: the heap grows by a third of what lives instead of up to fourfold. */
function tuneHeap(): void {
  setFlagsFromString('--heap-growing-percent=30')
  if (Number(process.versions.v8.split('.', 1)[0]) >= EXTERNAL_FROM_V8)
    setFlagsFromString('--external-memory-accounted-in-global-limit')
}

/** Reading takes about 20 µs. */
function systemResident(): ResidentSource {
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as (how: { readonly type: 'major' | 'minor' }) => void
  return {
    read() {
      const { rss, heapTotal, external } = process.memoryUsage()
      return { rssBytes: rss, usedBytes: heapTotal + external }
    },
    collect(whole) {
      const began = performance.now()
      gc({ type: whole ? 'major' : 'minor' })
      return performance.now() - began
    },
  }
}
