/**
 * Clients that `node:http` cannot be: several requests in one write, and readers that hardly read.
 */
import { connect } from 'node:net'
import { ANSWER_MS, type Field } from './field.ts'

/** A slow reader takes so much at a time, and leaves after this. */
const SLOW_BYTES = 4096
const SLOW_EVERY_MS = 100
const SLOW_MS = 4000

/** Sends all at once and counts answers in order; an early end of the connection leaves the rest cut. */
export function pipeline({ port, endings }: Field, keys: readonly number[]): Promise<void> {
  endings.asked += keys.length
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    let seen = 0
    let tail = ''
    let isOver = false
    const end = (how: 'cut' | 'unanswered'): void => {
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      endings.answered += seen
      endings[how] += keys.length - seen
      socket.destroy()
      resolve()
    }
    const timer = setTimeout(() => end('unanswered'), ANSWER_MS)
    socket.on('data', (chunk: Buffer) => {
      const text = tail + chunk.toString('latin1')
      seen += text.split(MARK).length - 1
      tail = text.slice(-(MARK.length - 1))
      endings.bytes += chunk.length
    })
    socket.on('error', () => end('cut'))
    socket.on('close', () => end('cut'))
    // HEAD answers have no bodies: every status line seen is an answer.
    const last = keys.length - 1
    const texts = keys.map(
      (key, i) => `HEAD /item/${key} HTTP/1.1\r\nHost: soak\r\n${i === last ? 'Connection: close\r\n' : ''}\r\n`,
    )
    socket.write(texts.join(''))
  })
}

const MARK = 'HTTP/1.1 '

/** Asks for three bodies, reads a little at a time, and goes. */
export function readSlowly({ port, endings }: Field, key: number): Promise<void> {
  endings.asked += 1
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.pause()
    const timer = setInterval(() => {
      const chunk = socket.read(Math.min(SLOW_BYTES, socket.readableLength)) as Buffer | null
      endings.bytes += chunk?.length ?? 0
    }, SLOW_EVERY_MS)
    socket.on('readable', () => {})
    socket.on('error', () => {})
    socket.on('close', () => clearInterval(timer))
    socket.write(`GET /item/${key} HTTP/1.1\r\nHost: soak\r\n\r\n`.repeat(3))
    setTimeout(() => {
      clearInterval(timer)
      endings.left += 1
      socket.destroy()
    }, SLOW_MS)
    resolve() // others go on meanwhile
  })
}
