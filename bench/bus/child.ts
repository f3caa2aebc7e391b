/**
 * One instance of the bus benchmark: follows the log, holds entries under one tag when told to, and says when it is ready.
 */
import { hold, inSight, openCache, type Order } from './instance.ts'

process.once('message', (order: Order) => {
  const cache = openCache(order)
  void inSight(cache).then(() => {
    process.on('message', ({ entries }: { entries: number }) => {
      hold(cache, entries)
      process.send?.('held')
    })
    process.send?.('ready')
  })
  process.once('disconnect', () => void cache.close().then(() => process.exit(0)))
})
