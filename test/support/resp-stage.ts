/**
 * Plays a scene of several connections against a server and tells every frame that came, in order.
 */
import { RawResp, requestOf, textOfFrame } from './resp-frames.ts'
import type { Scene } from './resp-scenes.ts'

/** Time for a waiting command to have begun, or for a stray frame to come, ms. */
const SETTLE_MS = 25

/** @returns one line per frame: who got it, and what */
export async function play(port: number, { version, steps }: Scene): Promise<readonly string[]> {
  const actors = new Map<string, RawResp>()
  const ids = new Map<string, string>()
  const lines: string[] = []
  const actorOf = async (name: string): Promise<RawResp> => {
    const known = actors.get(name)
    if (known !== undefined) return known
    const actor = await RawResp.open(port)
    actors.set(name, actor)
    if (actors.size === 1) await actor.command('FLUSHALL')
    await actor.command('HELLO', version)
    ids.set(name, (await actor.command('CLIENT', 'ID')).text)
    return actor
  }
  try {
    for (const [who, ...args] of steps) {
      const name = who.replace('?', '')
      const actor = await actorOf(name)
      if (args.length > 0) actor.write(requestOf(args.map((arg) => (arg.startsWith('$') ? (ids.get(arg.slice(1)) ?? arg) : arg))))
      if (who.startsWith('?')) {
        await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
        continue
      }
      lines.push(`${name} ${args.slice(0, 4).join(' ')} -> ${textOfFrame(await actor.take(5000))}`)
    }
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    for (const [name, actor] of actors) {
      while (actor.pending > 0) lines.push(`${name} got more: ${textOfFrame(await actor.take())}`)
    }
    return lines
  } finally {
    for (const actor of actors.values()) actor.close()
  }
}
