/**
 * Messages to those who listen.
 *
 * Floor 4, room resp. In RESP3 a message is a push, in RESP2 an array; both forms are made at most once per message.
 */
import { Reply } from './embedded-reply.ts'
import type { Server } from './embedded-server.ts'
import type { Session } from './embedded-session.ts'

const writer = new Reply()

/** @returns how many got it */
export function publish(server: Server, channel: string, message: string): number {
  const listeners = server.channels.of(channel)
  let count = sendAll(server, listeners, ['message', channel, message])
  if (server.patterns.size === 0) return count
  for (const [pattern, sessions] of server.patterns.matching(channel)) {
    count += sendAll(server, sessions, ['pmessage', pattern, channel, message])
  }
  return count
}

/** To a shard channel. @returns how many got it */
export function publishToShard(server: Server, channel: string, message: string): number {
  return sendAll(server, server.shardChannels.of(channel), ['smessage', channel, message])
}

function sendAll(server: Server, sessions: ReadonlySet<Session>, parts: readonly string[]): number {
  const made: (Buffer | undefined)[] = [undefined, undefined]
  for (const session of sessions) {
    const version = session.version === 3 ? 3 : 2
    const bytes = made[version - 2] ?? pushOf(version, parts)
    made[version - 2] = bytes
    server.runner?.deliver(session, bytes)
  }
  return sessions.size
}

function pushOf(version: 2 | 3, parts: readonly string[]): Buffer {
  writer.version = version
  writer.push(parts.length)
  for (const part of parts) writer.str(part)
  return Buffer.from(writer.take())
}

/** Ends every subscription of a connection. */
export function leaveChannels(server: Server, session: Session): void {
  for (const name of session.channels) server.channels.remove(name, session, session.channels)
  for (const name of session.patterns) server.patterns.remove(name, session, session.patterns)
  for (const name of session.shardChannels) server.shardChannels.remove(name, session, session.shardChannels)
}
