/**
 * The credentials of a port over time: read at start, again when a file changes or a reload asks, warned about when they end.
 *
 * Floor 5, room server. What cannot be read, or does not belong together, never replaces what works: a certificate renewed
 * before its key is simply read again when the key has followed.
 */
import type { Clock, Timer } from '../model/clock.ts'
import type { Logger } from '../model/port.ts'
import { watchFile } from './config-watch.ts'
import { type Credentials, credentialFiles, readCredentials } from './tls-credentials.ts'
import type { TlsSettings } from './tls-schema.ts'

/** How often ends of validity are looked at, ms. */
const REVIEW_MS = 12 * 3_600_000

/** What keeping takes. */
export interface KeeperParts {
  /** Of the section, in errors and logs: `tls`, `api.tls`. */
  readonly name: string
  readonly clock: Clock
  readonly logger: Logger
  /** Called with other credentials than before. */
  onChange(credentials: Credentials): void
}

/** See the module's header. */
export class TlsKeeper {
  readonly #parts: KeeperParts
  #settings: TlsSettings
  #credentials: Credentials
  #watches: (() => void)[] = []
  #review: Timer

  /** @throws FC_TLS_FILE, FC_TLS_PEM, FC_TLS_MISMATCH, FC_OPTION_VALUE */
  constructor(settings: TlsSettings, parts: KeeperParts) {
    this.#parts = parts
    this.#settings = settings
    this.#credentials = readCredentials(settings, parts.name)
    this.#watch()
    this.#review = this.#warn()
  }

  get credentials(): Credentials {
    return this.#credentials
  }

  /** Reads everything again. @throws as the constructor; then all stays as it was */
  renew(settings: TlsSettings = this.#settings): void {
    this.#credentials = readCredentials(settings, this.#parts.name)
    this.#settings = settings
    this.#watch()
    this.#review.cancel()
    this.#review = this.#warn()
    this.#parts.onChange(this.#credentials)
  }

  /** Watches no file any more. */
  close(): void {
    this.#review.cancel()
    for (const stop of this.#watches) stop()
    this.#watches = []
  }

  #watch(): void {
    for (const stop of this.#watches) stop()
    const { clock, logger } = this.#parts
    const onChange = (): void => this.#onChange()
    this.#watches = credentialFiles(this.#settings).map((file) => watchFile(file, { clock, logger, onChange }))
  }

  #onChange(): void {
    const { logger, name } = this.#parts
    try {
      this.renew()
      logger.info({ section: name }, 'certificates read again')
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      logger.warn({ section: name, reason }, 'certificates changed and cannot be used; the former ones stay')
    }
  }

  #warn(): Timer {
    const { clock, logger, name } = this.#parts
    for (const reason of this.#credentials.warnings(clock.wall())) logger.warn({ section: name, reason }, 'certificate')
    return clock.after(REVIEW_MS, () => {
      this.#review = this.#warn()
    })
  }
}
