/** The pages that are written for people, in a real browser: curves, nothing from elsewhere, and texts that stay texts. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { runCli } from '../../src/cli/main.ts'
import { createRandom } from '../../src/model/random.ts'
import { openPage, type OpenPage } from '../support/browser-here.ts'
import { captureIo } from '../support/captured-io.ts'

const directory = mkdtempSync(join(tmpdir(), 'forecache-pages-'))
const START_S = 1_431_856_800
const TIMEOUT_MS = 120_000
/** Texts that a careless page would run or load. */
const HOSTILE = [
  '<script>document.title="run"</script>',
  '"><img src="http://evil.test/a.png" onerror="document.title=\'run\'">',
  "'><svg onload=document.title='run'>",
  '</pre></style></title><iframe src=http://evil.test/></iframe>',
]

afterAll(() => rmSync(directory, { recursive: true }))

/** What neither page may have, however hostile its texts. */
async function expectClosed(page: OpenPage, url: string): Promise<void> {
  expect(page.requests).toEqual([url])
  expect(page.complaints).toEqual([])
  expect(await page.read<string>('document.title')).toMatch(/^forecache/)
  expect(await page.read<number>("document.querySelectorAll('script,img,iframe,link,object,embed,base,form').length")).toBe(0)
  const handlers =
    "[...document.querySelectorAll('*')].filter(one => [...one.attributes].some(({name}) => /^(on|src|href)/.test(name)))"
  expect(await page.read<number>(`${handlers}.length`)).toBe(0)
}

/** Boxes of what matches, as drawn. */
function boxesOf(page: OpenPage, selector: string): Promise<{ width: number; height: number; points: number }[]> {
  return page.read(`[...document.querySelectorAll('${selector}')].map(one => {
    const { width, height } = one.getBoundingClientRect()
    return { width, height, points: one.points?.numberOfItems ?? 0 }
  })`)
}

describe('the page of analyze', () => {
  it(
    'has its curves, asks nobody for anything, and shows hostile paths, parameters and names as texts',
    async () => {
      const random = createRandom(5)
      const lines = Array.from({ length: 4000 }, (_, at) => {
        const [text, id] = [HOSTILE[at % HOSTILE.length] as string, Math.floor(random() * 20)]
        const url =
          at % 2 === 0
            ? `/items/${100 + id}?n=${at % 5}`
            : `/${text.replaceAll(/[ /?]/g, '')}?${text.replaceAll(/[ /?&=]/g, '')}=${id}`
        const cookies = { [text]: String(at % 3) }
        return JSON.stringify({
          time: START_S + at,
          url,
          etag: `${id} ${Math.floor(at / 500)}`,
          bytes: 500 + id,
          cookies,
          vary: text,
          cache_control: text,
        })
      })
      const [log, html] = [join(directory, `<img src=x onerror=alert(1)>'".log`), join(directory, 'page.html')]
      writeFileSync(log, lines.join('\n'))
      expect(await runCli(['analyze', log, '--html', html], captureIo())).toBe(0)
      const url = pathToFileURL(html).href

      const page = await openPage(url)

      await expectClosed(page, url)
      const curves = await boxesOf(page, 'svg polyline')
      expect(curves.length).toBeGreaterThan(3)
      for (const { width, height, points } of curves) {
        expect(points).toBeGreaterThan(4)
        expect(width).toBeGreaterThan(100)
        expect(height).toBeGreaterThanOrEqual(0)
      }
      expect((await boxesOf(page, 'svg rect.s0')).some(({ height }) => height > 20)).toBe(true)
      const shown = await page.read<string>('document.body.innerText')
      expect(shown).toContain('<img src=x onerror=alert(1)>')
      expect(shown).toContain('cookie:<script>document.title="run"</script>')
      expect(shown).toContain('?"><imgsrc"http:evil.testa.png"onerror"document.title')
      expect(shown).toContain('/<pre><style><title><iframesrc=http:evil.test><iframe>')
      expect(shown).toContain('What this log says')
    },
    TIMEOUT_MS,
  )
})

describe('the page of predict --plots', () => {
  it(
    'has its curves, asks nobody for anything, and shows the name of a trace as a text',
    async () => {
      const random = createRandom(6)
      const name = `<img src=x onerror=alert(1)>'"`
      const lines = Array.from({ length: 6000 }, (_, at) => {
        const [client, step] = [Math.floor(at / 3) % 7, at % 3]
        return `${START_S + at},/page/${step}/${Math.floor(random() ** 3 * 4)},c${client},100`
      })
      const [trace, plots] = [join(directory, `${name}.csv`), join(directory, 'plots')]
      writeFileSync(trace, lines.join('\n'))
      await promisify(execFile)(process.execPath, ['bench/main.ts', 'predict', '--trace', trace, '--ttl', '30', '--plots', plots])
      const url = pathToFileURL(join(plots, 'index.html')).href

      const page = await openPage(url)

      await expectClosed(page, url)
      const curves = await boxesOf(page, 'svg polyline')
      expect(curves.length).toBeGreaterThan(1)
      expect(curves.some(({ width, height, points }) => points > 3 && width > 20 && height > 5)).toBe(true)
      expect(await page.read<number>("document.querySelectorAll('svg circle title').length")).toBeGreaterThan(5)
      const shown = await page.read<string>('document.body.textContent')
      expect(shown).toContain(name)
      expect(shown).not.toMatch(/NaN|undefined|Infinity/)
    },
    TIMEOUT_MS,
  )
})

describe('a page that is careless', () => {
  it(
    'is seen to ask for what it names, and to run what stands in it',
    async () => {
      const html = join(directory, 'careless.html')
      writeFileSync(html, `<title>forecache</title><img src="http://evil.test/a.png" onerror="document.title='run'">`)

      const page = await openPage(pathToFileURL(html).href)

      expect(page.requests).toEqual([pathToFileURL(html).href, 'http://evil.test/a.png'])
      expect(page.complaints).not.toEqual([])
      expect(await page.read<string>('document.title')).toBe('run')
    },
    TIMEOUT_MS,
  )
})
