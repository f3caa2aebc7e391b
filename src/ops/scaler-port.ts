/**
 * What starts and ends instances, as a port: a container service, an orchestrator, a webhook, a command.
 *
 * Floor 4, room ops. A scaler is told how many there should be, never how many more: telling it twice does no harm. Each call
 * is bounded by its signal.
 */

/** A number of instances to be had. */
export interface ScaleOrder {
  readonly desired: number
  readonly from: number
  /** The leader's term: a receiver that has seen a higher one refuses it. */
  readonly term: number
  /** For people. */
  readonly reason: string
  /** What `read` said besides, given back: a scaler that can compare refuses what was changed meanwhile. */
  readonly version: string | undefined
}

/** What a scaler says there should be. */
export interface ScaleReading {
  /** Undefined: it cannot say. */
  readonly desired: number | undefined
  readonly version?: string | undefined
}

/** See the module's header. */
export interface Scaler {
  /** For people. */
  readonly name: string
  /** @throws (rejects) FC_SCALER_FAILED */
  read(signal: AbortSignal): Promise<ScaleReading>
  /** @throws (rejects) FC_SCALER_FAILED, FC_SCALER_REFUSED */
  scale(order: ScaleOrder, signal: AbortSignal): Promise<void>
}
