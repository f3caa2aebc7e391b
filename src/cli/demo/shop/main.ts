/**
 * The shop as a process of its own: `node main.ts [--port N] [--api URL] [--small]`.
 *
 * Floor 6, room cli. Prints one JSON line when it listens, ends on SIGTERM or SIGINT, or when the process that started
 * it is gone (its IPC channel closes).
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'
import { announceTo } from './announce.ts'
import { type Database, openDatabase } from './database.ts'
import { FULL_SIZES, SMALL_SIZES, seedShop } from './seed.ts'
import { createShop } from './shop.ts'

const { values } = parseArgs({
  options: { port: { type: 'string', default: '0' }, api: { type: 'string' }, small: { type: 'boolean', default: false } },
})

try {
  await serve()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(1)
}

async function serve(): Promise<void> {
  // Whoever started this may be gone before it is ready.
  process.once('disconnect', () => process.exit(0))
  const db = await openDatabase()
  const began = performance.now()
  await seedShop(db, values.small ? SMALL_SIZES : FULL_SIZES, Date.now())
  const seedMs = Math.round(performance.now() - began)
  const apiKey = process.env['FORECACHE_CLI_KEY']
  const server = createServer(
    createShop({ db, ...(values.api === undefined ? {} : { announce: announceTo(values.api, apiKey) }) }),
  )
  server.listen(Number(values.port), '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    console.log(JSON.stringify({ msg: 'ready', listen: `http://127.0.0.1:${port}`, seedMs }))
  })
  server.on('error', (error) => {
    console.error(error.message)
    process.exit(1)
  })
  onEnd(() => {
    server.close()
    server.closeAllConnections()
    closeDatabase(db)
  })
}

function onEnd(run: () => void): void {
  process.once('SIGTERM', run)
  process.once('SIGINT', run)
}

function closeDatabase(db: Database): void {
  db.close().then(
    () => process.exit(0),
    () => process.exit(1),
  )
}
