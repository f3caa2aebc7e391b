/**
 * The curves of a comparison as SVG files, and a page that shows them: gain against extra requests, stale answers against
 * extra requests, what prefetching spared and how much of it was read.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { escapeHtml as text } from '../../src/advice/svg.ts'
import type { Row } from './compare.ts'

/** What of a prefetch is drawn. */
export interface PrefetchPoint {
  readonly trace: string
  readonly ttl: number
  readonly removed: number
  readonly extra: number
  readonly precision: number
}

interface Point {
  readonly x: number
  readonly y: number
  readonly title: string
}

/** Points of one colour; joined by a line in order of x where `isCurve`. */
interface Series {
  readonly name: string
  readonly points: readonly Point[]
  readonly isCurve: boolean
}

interface Plot {
  readonly title: string
  readonly x: string
  readonly y: string
  readonly series: readonly Series[]
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [640, 400, 62, 150, 40, 52]
const COLOURS = ['#0b6bcb', '#d9730d', '#1a7f4b', '#8a3ffc', '#c0392b', '#5b6875']
const STEPS = 5

/** Writes them. @returns the page's path */
export function writePlots(folder: string, rows: readonly Row[], prefetch: readonly PrefetchPoint[]): string {
  mkdirSync(folder, { recursive: true })
  const real = rows.filter(({ isRandom }) => !isRandom)
  const plots: (readonly [name: string, plot: Plot])[] = [
    ...[...new Set(real.map(({ ttl }) => ttl))].map(
      (ttl) =>
        [
          `gain-${ttl}s`,
          gainPlot(
            real.filter((row) => row.ttl === ttl),
            ttl,
          ),
        ] as const,
    ),
    ['stale', stalePlot(real)],
    ['prefetch', prefetchPlot(prefetch)],
  ]
  const drawn = plots
    .filter(([, { series }]) => series.some(({ points }) => points.length > 0))
    .map(([name, plot]) => [name, draw(plot)] as const)
  for (const [name, svg] of drawn) writeFileSync(join(folder, `${name}.svg`), `<?xml version="1.0" encoding="UTF-8"?>\n${svg}\n`)
  const page = join(folder, 'index.html')
  writeFileSync(page, drawPage(drawn.map(([, svg]) => svg)))
  return page
}

function drawPage(drawings: readonly string[]): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>forecache: what predictions spare</title><style>body{font:15px/1.5 system-ui,sans-serif;margin:24px;display:flex;flex-wrap:wrap;gap:24px}h1{width:100%;font-size:24px;margin:0}svg{max-width:100%;height:auto}</style></head><body>
<h1>What predictions spare, and what they cost</h1>
${drawings.join('\n')}
</body></html>
`
}

/** Medians over the traces. */
function gainPlot(rows: readonly Row[], ttl: number): Plot {
  const kinds = ['ours', 'last 10 %', 'xfetch', 'oracle']
  return {
    title: `Waits spared, TTL ${ttl} s (medians over traces)`,
    x: 'extra requests to the origin',
    y: 'share of the oracle’s gain',
    series: kinds.map((kind) => ({
      name: kind,
      isCurve: true,
      points: policiesOf(rows, kind, ({ gain }) => gain !== undefined && Number.isFinite(gain)).map((of) => ({
        x: middle(of.map(({ extra }) => extra)),
        y: middle(of.map(({ gain }) => gain as number)),
        title: of[0]?.policy ?? kind,
      })),
    })),
  }
}

function stalePlot(rows: readonly Row[]): Plot {
  return {
    title: 'Stale answers, stale for one more TTL',
    x: 'extra requests to the origin',
    y: 'stale answers against stale-while-revalidate',
    series: [...new Set(rows.map(({ ttl }) => ttl))].map((ttl) => ({
      name: `TTL ${ttl} s`,
      isCurve: true,
      points: [
        { x: 0, y: 1, title: 'swr' },
        ...policiesOf(
          rows.filter((row) => row.ttl === ttl),
          'ours',
          ({ staleRatio }) => staleRatio !== undefined,
        ).map((of) => ({
          x: middle(of.map(({ extra }) => extra)),
          y: middle(of.map(({ staleRatio }) => staleRatio as number)),
          title: of[0]?.policy ?? '',
        })),
      ],
    })),
  }
}

function prefetchPlot(rows: readonly PrefetchPoint[]): Plot {
  return {
    title: 'Prefetching: what it spared, and how much of it was read',
    x: 'misses removed',
    y: 'prefetches that were read',
    series: [...new Set(rows.map(({ trace }) => trace))].map((trace) => ({
      name: trace,
      isCurve: false,
      points: rows
        .filter((row) => row.trace === trace && row.precision > 0)
        .map(({ removed, precision, ttl, extra }) => ({
          x: removed,
          y: precision,
          title: `TTL ${ttl} s, ${percent(extra)} extra`,
        })),
    })),
  }
}

/** Rows of each policy of a kind that can be drawn, such as `ours +10 %` and `ours +20 %`. */
function policiesOf(rows: readonly Row[], kind: string, isDrawn: (row: Row) => boolean): Row[][] {
  const own = rows.filter((row) => row.policy.startsWith(kind) && isDrawn(row))
  return [...new Set(own.map(({ policy }) => policy))].map((policy) => own.filter((row) => row.policy === policy))
}

function middle(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0
}

function draw({ title, x, y, series }: Plot): string {
  const all = series.flatMap(({ points }) => points)
  const right = niceEnd(Math.max(0.1, ...all.map((point) => point.x)))
  const top = niceEnd(Math.max(0.2, ...all.map((point) => point.y)))
  const left = Math.min(0, ...all.map((point) => point.x))
  const placeX = (value: number): number => round(LEFT + ((WIDTH - LEFT - RIGHT) * (value - left)) / (right - left))
  const placeY = (value: number): number => round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - Math.max(0, value) / top))
  const lines = Array.from({ length: STEPS + 1 }, (_, step) => {
    const [atX, atY] = [left + ((right - left) * step) / STEPS, (top * step) / STEPS]
    return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${placeY(atY)}" y2="${placeY(atY)}" stroke="#d9dfe5"/><text x="${LEFT - 8}" y="${placeY(atY) + 4}" text-anchor="end">${percent(atY)}</text><text x="${placeX(atX)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${percent(atX)}</text>`
  })
  const drawn = series.map(({ points, isCurve }, index) => {
    const colour = COLOURS[index % COLOURS.length] as string
    const sorted = points.toSorted((a, b) => a.x - b.x)
    const line =
      isCurve && sorted.length > 1
        ? `<polyline fill="none" stroke-width="2" stroke="${colour}" points="${sorted.map((point) => `${placeX(point.x)},${placeY(point.y)}`).join(' ')}"/>`
        : ''
    const dots = sorted.map(
      (point) =>
        `<circle r="4" fill="${colour}" cx="${placeX(point.x)}" cy="${placeY(point.y)}"><title>${text(`${point.title}: ${percent(point.y)} at ${percent(point.x)}`)}</title></circle>`,
    )
    return line + dots.join('')
  })
  const legend = series.map(
    ({ name }, index) =>
      `<circle r="5" fill="${COLOURS[index % COLOURS.length]}" cx="${WIDTH - RIGHT + 18}" cy="${TOP + 8 + index * 20}"/><text x="${WIDTH - RIGHT + 30}" y="${TOP + 12 + index * 20}">${text(name)}</text>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${text(title)}" font-family="system-ui,sans-serif" font-size="12" fill="#1c2733"><rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/><text x="${LEFT}" y="22" font-size="15" font-weight="600">${text(title)}</text>${lines.join('')}<text x="${LEFT + (WIDTH - LEFT - RIGHT) / 2}" y="${HEIGHT - 10}" text-anchor="middle">${text(x)}</text><text transform="translate(14 ${TOP + (HEIGHT - TOP - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${text(y)}</text>${drawn.join('')}${legend.join('')}</svg>`
}

/** The next of 0.1, 0.2, 0.5, 1, 2… */
function niceEnd(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 2, 5, 10].map((of) => of * power).find((end) => end >= value - 1e-9) ?? value
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
