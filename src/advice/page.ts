/**
 * The report as one HTML page, with nothing outside of it: curves inline, light or dark as the reader's system is.
 *
 * Floor 4, room advice. Everything from the log is escaped; the page forbids itself scripts and requests.
 */
import type { Dimension } from './infer.ts'
import type { Report, RouteReport } from './report.ts'
import { spellDuration } from './spell.ts'
import { drawChart, escapeHtml as text } from './svg.ts'

const MAX_ROUTES = 50

const STYLE = `:root{color-scheme:light dark;--ink:#1c2733;--soft:#5b6875;--line:#d9dfe5;--ground:#fff;--panel:#f5f7f9;--s0:#0b6bcb;--s1:#d9730d;--good:#1a7f4b}
@media (prefers-color-scheme:dark){:root{--ink:#e4e9ee;--soft:#9aa7b3;--line:#33404c;--ground:#12181e;--panel:#1b232b;--s0:#5aa9f5;--s1:#f0a050;--good:#5fcf95}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--ground);margin:0 auto;max-width:1100px;padding:24px}
h1{font-size:24px;margin:0 0 4px}h2{font-size:19px;margin:32px 0 8px}h3{font-size:16px;margin:0 0 6px;overflow-wrap:anywhere}
p{margin:4px 0}.soft{color:var(--soft)}section{background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:16px;margin:14px 0}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(132px,1fr));gap:10px;margin:14px 0}.facts div{background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:10px 12px}
.facts b{display:block;font-size:21px}.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(320px,1fr));gap:14px}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{text-align:left;padding:4px 10px 4px 0;border-bottom:1px solid var(--line)}th{color:var(--soft);font-weight:600}
code,pre{font:13px/1.5 ui-monospace,monospace}pre{background:var(--panel);border:1px solid var(--line);border-radius:8px;padding:14px;overflow-x:auto}
.deciding{color:var(--good);font-weight:600}.unclear{color:var(--soft)}.wide{margin:8px 0 14px}
svg{width:100%;height:auto}svg text{font:11px system-ui,sans-serif;fill:var(--soft)}svg .title{font-size:13px;font-weight:600;fill:var(--ink)}
.grid{stroke:var(--line)}polyline{fill:none;stroke-width:2}polyline.s0{stroke:var(--s0)}polyline.s1{stroke:var(--s1)}circle.s0,rect.s0{fill:var(--s0)}circle.s1{fill:var(--s1)}`

/** @returns HTML */
export function drawPage(report: Report): string {
  const { source, requests, from, to, routes, findings, config } = report
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>forecache analyze: ${text(source)}</title><style>${STYLE}</style></head><body>
<h1>What this log says</h1>
<p class="soft">${text(source)}: ${requests.toLocaleString('en')} requests, ${text(from)} to ${text(to)}</p>
${drawFacts(report)}
<div class="charts">${drawMemory(report)}</div>
<h2>Findings</h2>
${findings.length === 0 ? '<p>Nothing found that is wrong.</p>' : findings.map(drawFinding).join('\n')}
<h2>Routes</h2>
${routes.slice(0, MAX_ROUTES).map(drawRoute).join('\n')}
<h2>Configuration</h2>
<pre>${text(config)}</pre>
</body></html>
`
}

function drawFacts({ expected, memory, routes, findings }: Report): string {
  const facts: readonly (readonly [string, string])[] = [
    [share(expected.hitRatio), 'from the cache, as recommended'],
    [share(expected.stale), 'of all stale, while refreshed'],
    [share(expected.rawHitRatio), 'fresh with targets as sent'],
    [size(memory.recommendedBytes), 'of memory'],
    [size(memory.workingSetBytes), 'all keys would take'],
    [String(routes.length), 'routes'],
    [String(findings.length), 'findings'],
  ]
  return `<div class="facts">${facts.map(([value, name]) => `<div><b>${text(value)}</b>${text(name)}</div>`).join('')}</div>`
}

function drawMemory({ memory }: Report): string {
  const { curve } = memory
  if (curve.length === 0) return ''
  return drawChart({
    title: 'From the cache, by memory',
    kind: 'curve',
    along: curve.map(({ bytes }) => size(bytes)),
    series: [{ name: 'from cache', values: curve.map(({ hitRatio }) => hitRatio) }],
  })
}

function drawFinding({ kind, route, text: what, advice, evidence }: Report['findings'][number]): string {
  const told = Object.entries(evidence)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ')
  return `<section><h3>${text(kind)}${route === undefined ? '' : ` <code>${text(route)}</code>`}</h3><p>${text(what)}</p><p>${text(advice)}</p><p class="soft">${text(told)}</p></section>`
}

function drawRoute(route: RouteReport): string {
  const { pattern, requests, share: part, keys, targets, reuse, change, bytes, recommendation, expected, dimensions } = route
  const { isCached, freshMs, why } = recommendation
  const changes = change.pairs === 0 ? 'changes not visible' : `${change.changed} changes in ${change.pairs} comparisons`
  return `<section><h3><code>${text(pattern)}</code></h3>
<p>${requests.toLocaleString('en')} requests (${share(part)}), ${targets.toLocaleString('en')} targets, ${keys.toLocaleString('en')} keys, reuse ${share(reuse)}, ${size(bytes.mean)} on average, ${changes}</p>
<p><b>${isCached ? `fresh for ${spellDuration(freshMs)}, ${share(expected.hitRatio)} from the cache` : 'not cached'}</b>: ${text(why.join('; '))}</p>
${drawDimensions(dimensions)}
<div class="charts">${drawCurves(route)}</div></section>`
}

function drawDimensions(dimensions: readonly Dimension[]): string {
  if (dimensions.length === 0) return ''
  const rows = dimensions.map(({ name, verdict, confidence, evidence, present }) => {
    const { pairs, differing, repeats, repeatsDiffering } = evidence
    return `<tr><td><code>${text(name)}</code></td><td class="${verdict}">${WORDS[verdict]}</td><td>${confidence > 0 ? share(Math.min(0.9999, confidence)) : '–'}</td><td>${differing} of ${pairs}</td><td>${repeatsDiffering} of ${repeats}</td><td>${share(present)}</td></tr>`
  })
  return `<div class="wide"><table><tr><th>dimension</th><th></th><th>confidence</th><th>other value, other answer</th><th>same value, other answer</th><th>present</th></tr>${rows.join('')}</table></div>`
}

const WORDS = { deciding: 'decides', irrelevant: 'does not matter', unclear: 'unclear, so it counts' } as const

function drawCurves({ freshCurve, staleCurve, hours }: RouteReport): string {
  const charts = [
    drawChart({
      title: 'Requests by hour of the day, UTC',
      kind: 'bars',
      along: hours.map((_, hour) => String(hour)),
      series: [{ name: 'requests', values: hours }],
    }),
  ]
  if (freshCurve.length > 0)
    charts.push(
      drawChart({
        title: 'From the cache, by fresh window',
        kind: 'curve',
        along: freshCurve.map(({ freshMs }) => spellDuration(freshMs)),
        series: [{ name: 'fresh', values: freshCurve.map(({ hitRatio }) => hitRatio) }],
      }),
    )
  if (staleCurve.length > 0)
    charts.push(
      drawChart({
        title: 'By stale window',
        kind: 'curve',
        along: staleCurve.map(({ staleMs }) => spellDuration(staleMs)),
        series: [
          { name: 'fresh', values: staleCurve.map(({ fresh }) => fresh) },
          { name: 'stale', values: staleCurve.map(({ stale }) => stale) },
        ],
      }),
    )
  return charts.join('')
}

function share(value: number): string {
  return `${(value * 100).toFixed(1)} %`
}

function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10))
  return `${(bytes / 1024 ** power).toFixed(power === 0 || bytes / 1024 ** power >= 100 ? 0 : 1)} ${units[power]}`
}
