/**
 * A worker of `forecache serve --workers N` as a process: started by its supervisor, never by hand.
 *
 * Floor 6, room cli.
 */
import { runWorker } from '../../server/worker.ts'

process.exit(await runWorker())
