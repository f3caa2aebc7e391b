/** A plain HTTP server that answers as it is told, and keeps what it was asked. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request. */
export interface Asked {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** What is answered; undefined: nothing, ever. */
export type Answering = (asked: Asked) => { readonly status: number; readonly body?: unknown } | undefined

/** See the module's header. */
export interface HttpHere {
  readonly url: string
  readonly asked: readonly Asked[]
  close(): Promise<void>
}

export async function httpHere(answer: Answering): Promise<HttpHere> {
  const asked: Asked[] = []
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming
      const one = { method, url, headers, body: Buffer.concat(chunks).toString() }
      asked.push(one)
      const given = answer(one)
      if (given === undefined) return
      outgoing.writeHead(given.status, { 'content-type': 'application/json' })
      outgoing.end(given.body === undefined ? '' : JSON.stringify(given.body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => void server.close(() => resolve()))
    },
  }
}
