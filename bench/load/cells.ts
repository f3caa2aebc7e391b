/**
 * What is measured: tables of cells, each one kind of load that every server gets in turn.
 */

/** One kind of load. */
export interface Cell {
  readonly name: string
  readonly bodyBytes: number
  readonly connections: number
  /** A browser's header fields, some 700 bytes; else none but Host. */
  readonly realistic: boolean
  readonly keys: number
  readonly pipelined: number
  /** Paths under /z/, asked for with Accept-Encoding: whoever can, compresses. */
  readonly compressed: boolean
}

const plain: Cell = {
  name: '',
  bodyBytes: 1024,
  connections: 64,
  realistic: false,
  keys: 1,
  pipelined: 1,
  compressed: false,
}

function grid(realistic: boolean): Cell[] {
  const headers = realistic ? 'browser headers' : 'bare headers'
  return [1024, 16_384].flatMap((bodyBytes) =>
    [1, 16, 64].map((connections) => ({
      ...plain,
      name: `${bodyBytes / 1024} KB, ${connections} connections, ${headers}`,
      bodyBytes,
      connections,
      realistic,
    })),
  )
}

/** Cells by table; `goals` is the part of `main` and `browser` that has limits. */
export const TABLES: Readonly<Record<string, readonly Cell[]>> = {
  goals: [...grid(false), ...grid(true)].filter((cell) => cell.bodyBytes === 1024 && cell.connections === 64),
  main: grid(false),
  browser: grid(true),
  keys: [1000, 100_000].map((keys) => ({ ...plain, name: `1 KB, 64 connections, ${keys} keys at random`, keys })),
  pipelined: [{ ...plain, name: '1 KB, 64 connections, 16 requests at once', pipelined: 16 }],
  compressed: [
    {
      ...plain,
      name: '16 KB, 64 connections, browser headers, compressed',
      bodyBytes: 16_384,
      realistic: true,
      compressed: true,
    },
  ],
}

/** An ordinary browser's request; no cookie unless asked for, since Varnish by default caches nothing that bears one. */
export function headersOf(cell: Cell, cookie: boolean): string[] {
  if (!cell.realistic) return []
  const codings = cell.compressed || cell.bodyBytes <= 1024 ? ['Accept-Encoding: gzip, deflate, br, zstd'] : []
  const cookies = cookie ? ['Cookie: _ga=GA1.1.1234567890.1700000000; theme=dark; consent=all'] : []
  return [
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
    'Accept: application/json, text/plain, */*',
    'Accept-Language: en-GB,en-US;q=0.9,en;q=0.8,de;q=0.7',
    ...codings,
    'Referer: http://shop.example.test/products/garden/tools?page=2&sort=price',
    'sec-ch-ua: "Google Chrome";v="131", "Chromium";v="131", "Not_A Brand";v="24"',
    'sec-ch-ua-mobile: ?0',
    'sec-ch-ua-platform: "Linux"',
    'Sec-Fetch-Dest: empty',
    'Sec-Fetch-Mode: cors',
    'Sec-Fetch-Site: same-origin',
    'DNT: 1',
    'X-Requested-With: XMLHttpRequest',
    ...cookies,
  ]
}

/** What the paths of a cell begin with, on a server with such a prefix. */
export function pathOf(cell: Cell, prefix = ''): string {
  if (prefix !== '') return `${prefix}/${cell.bodyBytes}-`
  return `${cell.compressed ? '/z' : ''}/${cell.bodyBytes}/`
}
