/**
 * Curves and bars as inline SVG, in the colours of the page around them.
 *
 * Floor 4, room advice. Values from 0 to 1 upwards; places along are spread evenly, each with its text, so that scales of powers
 * read well.
 */

/** One curve or set of bars. */
export interface Series {
  readonly name: string
  readonly values: readonly number[]
}

/** What is drawn. */
export interface Chart {
  readonly title: string
  /** Texts along. */
  readonly along: readonly string[]
  readonly series: readonly Series[]
  readonly kind: 'curve' | 'bars'
}

const WIDTH = 460
const HEIGHT = 220
const LEFT = 44
const RIGHT = 26
const TOP = 28
const BOTTOM = 34
const MAX_TEXTS = 12

/** @returns an `svg` element */
export function drawChart({ title, along, series, kind }: Chart): string {
  const top = kind === 'bars' ? Math.max(0.01, ...series.flatMap(({ values }) => values)) : 1
  const x = (at: number): number =>
    LEFT + ((WIDTH - LEFT - RIGHT) * (kind === 'bars' ? at + 0.5 : at)) / Math.max(1, along.length - (kind === 'bars' ? 0 : 1))
  const y = (value: number): number => TOP + (HEIGHT - TOP - BOTTOM) * (1 - Math.min(1, Math.max(0, value / top)))
  const lines = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const at = y(part * top)
    return `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/><text x="${LEFT - 6}" y="${at + 4}" text-anchor="end">${percent(part * top)}</text>`
  })
  const every = Math.ceil(along.length / MAX_TEXTS)
  const texts = along.map((text, at) =>
    at % every === 0
      ? `<text x="${round(x(at))}" y="${HEIGHT - BOTTOM + 16}" text-anchor="middle">${escapeHtml(text)}</text>`
      : '',
  )
  const drawn = series.map(({ values }, index) =>
    kind === 'bars' ? drawBars(values, { x, y, top }) : drawCurve(values, { x, y, index }),
  )
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(title)}"><text class="title" x="${LEFT}" y="16">${escapeHtml(title)}</text>${lines.join('')}${texts.join('')}${drawn.join('')}${legend(series)}</svg>`
}

/** Text as the content of an element or attribute. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

interface Scale {
  readonly x: (at: number) => number
  readonly y: (value: number) => number
}

function drawCurve(values: readonly number[], { x, y, index }: Scale & { readonly index: number }): string {
  const points = values.map((value, at) => `${round(x(at))},${round(y(value))}`)
  const dots = values.map(
    (value, at) =>
      `<circle class="s${index}" cx="${round(x(at))}" cy="${round(y(value))}" r="3"><title>${percent(value)}</title></circle>`,
  )
  return `<polyline class="s${index}" points="${points.join(' ')}"/>${dots.join('')}`
}

function drawBars(values: readonly number[], { x, y }: Scale & { readonly top: number }): string {
  const wide = ((WIDTH - LEFT - RIGHT) / values.length) * 0.7
  return values
    .map((value, at) => {
      const upper = y(value)
      return `<rect class="s0" x="${round(x(at) - wide / 2)}" y="${round(upper)}" width="${round(wide)}" height="${round(HEIGHT - BOTTOM - upper)}"><title>${percent(value)}</title></rect>`
    })
    .join('')
}

function legend(series: readonly Series[]): string {
  if (series.length < 2) return ''
  return series
    .map(({ name }, index) => {
      const at = WIDTH - RIGHT - 70 * (series.length - index)
      return `<circle class="s${index}" cx="${at}" cy="12" r="4"/><text x="${at + 8}" y="16">${escapeHtml(name)}</text>`
    })
    .join('')
}

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 0.1 && share > 0 ? 1 : 0)} %`
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
