/**
 * Whether a server really answers what it is measured for: the right bytes, from its cache.
 */
import { request } from 'node:http'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { contentOf } from '../rig/content.ts'
import { type Cell, pathOf } from './cells.ts'
import type { Peer, PeerServer } from './peer.ts'

/** One answer. */
export interface Answer {
  readonly status: number
  readonly fields: Headers
  readonly body: Buffer
}

const DECODERS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: (bytes) => gunzipSync(bytes),
  br: (bytes) => brotliDecompressSync(bytes),
  zstd: (bytes) => zstdDecompressSync(bytes),
}

const DEADLINE_MS = 5000

/** One request on a connection of its own. @param lines header fields as wrk takes them */
export function ask(port: number, path: string, lines: readonly string[] = []): Promise<Answer> {
  const headers = Object.fromEntries(lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]))
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', path, headers, agent: false, timeout: DEADLINE_MS }, (answer) => {
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject)
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          fields: new Headers(Object.entries(answer.headers).map(([name, value]) => [name, String(value)])),
          body: Buffer.concat(chunks),
        }),
      )
    })
    asked.on('timeout', () => asked.destroy(new Error(`${path} was not answered in ${DEADLINE_MS} ms`)))
    asked.on('error', reject)
    asked.end()
  })
}

/** How large a server's answer is. */
export interface Checked {
  /** Head and body as written, about: names, values and separators. */
  readonly headBytes: number
  readonly bodyBytes: number
  readonly coding: string
}

/** @returns what came. @throws when the bytes are not right or not from the cache */
export async function check(
  peer: Peer,
  server: PeerServer,
  { cell, lines }: { cell: Cell; lines: readonly string[] },
): Promise<Checked> {
  const path = `${pathOf(cell, server.prefix)}0`
  const answer = await ask(server.port, path, lines)
  const coding = answer.fields.get('content-encoding') ?? 'identity'
  const text = (DECODERS[coding]?.(answer.body) ?? answer.body).toString('latin1')
  const expected = contentOf(`${pathOf(cell)}0`)
  if (answer.status !== 200 || text !== expected) {
    throw new Error(
      `${peer.name} answered ${path} with ${answer.status} and ${answer.body.length} bytes that are not the right ones`,
    )
  }
  if (peer.hit?.(answer.fields) === false) throw new Error(`${peer.name} did not answer ${path} from its cache`)
  const headBytes = 17 + [...answer.fields].reduce((sum, [name, value]) => sum + name.length + value.length + 4, 2)
  return { headBytes, bodyBytes: answer.body.byteLength, coding }
}

/** Requests that the origin has answered until now. */
export async function originCount(port: number): Promise<number> {
  return Number((await ask(port, '/count')).body.toString())
}
