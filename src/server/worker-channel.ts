/**
 * A worker's end of the channel to its supervisor.
 *
 * Floor 5, room server. A supervisor that is gone is told nothing, without an error.
 */
import cluster from 'node:cluster'
import { errorWords, type FromWorker } from './worker-message.ts'

/** See the module's header. */
export interface WorkerChannel {
  tell(message: FromWorker): void
  /** Tells why this worker cannot listen. */
  fail(error: unknown): void
  /** Waits until everything told has left. */
  flush(): Promise<void>
}

export function openWorkerChannel(): WorkerChannel {
  // Without it node:cluster ends the process the moment the supervisor is gone, and what is under way with it.
  if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true
  const send = (message: FromWorker, done: () => void): void => {
    if (process.connected && process.send !== undefined) process.send(message, undefined, undefined, done)
    else done()
  }
  return {
    tell: (message) => send(message, () => {}),
    fail: (error) => send({ type: 'failed', error: errorWords(error) }, () => {}),
    flush: () => new Promise((resolve) => send({ type: 'alive' }, resolve)),
  }
}
