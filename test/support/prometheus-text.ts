/**
 * Reads the Prometheus text format strictly, the way promtool does: every complaint is a thrown error.
 *
 * @see the exposition formats page of Prometheus, text format 0.0.4
 */

/** A metric family as exposed. */
export interface ParsedFamily {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly samples: ParsedSample[]
}

/** One line. */
export interface ParsedSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/y
const TYPES = new Set(['counter', 'gauge', 'histogram', 'summary', 'untyped'])

/** @throws Error naming the line that breaks the format or promtool's rules */
export function parsePrometheusText(text: string): Map<string, ParsedFamily> {
  const families = new Map<string, ParsedFamily>()
  const seen = new Set<string>()
  let help: { name: string; text: string } | undefined
  let family: ParsedFamily | undefined
  if (!text.endsWith('\n')) throw new Error('the last line must end with a line feed')
  for (const line of text.split('\n')) {
    if (line === '') continue
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line)
    if (comment?.[1] === 'HELP') help = { name: comment[2] as string, text: comment[3] as string }
    else if (comment?.[1] === 'TYPE') {
      family = beginFamily(comment[2] as string, comment[3] as string, help)
      if (families.has(family.name)) throw new Error(`family ${family.name} appears twice`)
      families.set(family.name, family)
    } else {
      const sample = parseSample(line)
      const id = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`
      if (seen.has(id)) throw new Error(`sample appears twice: ${id}`)
      seen.add(id)
      if (family === undefined || !belongs(sample.name, family)) throw new Error(`sample outside its family: ${line}`)
      family.samples.push(sample)
    }
  }
  for (const each of families.values()) judge(each)
  return families
}

function beginFamily(name: string, type: string, help: { name: string; text: string } | undefined): ParsedFamily {
  if (!NAME.test(name)) throw new Error(`bad metric name ${name}`)
  if (!TYPES.has(type)) throw new Error(`bad type ${type}`)
  if (help?.name !== name || help.text === '') throw new Error(`${name} has no help text`)
  return { name, type, help: help.text, samples: [] }
}

function parseSample(line: string): ParsedSample {
  const match = /^([^\s{]+)(?:\{(.*)\})? (\S+)$/.exec(line)
  if (match === null || !NAME.test(match[1] as string)) throw new Error(`not a sample: ${line}`)
  const labels: Record<string, string> = {}
  const list = match[2] ?? ''
  for (LABEL.lastIndex = 0; LABEL.lastIndex < list.length; ) {
    const label = LABEL.exec(list)
    if (label === null) throw new Error(`bad labels: ${line}`)
    labels[label[1] as string] = (label[2] as string).replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c))
  }
  const value = match[3] === '+Inf' ? Infinity : match[3] === '-Inf' ? -Infinity : Number(match[3])
  if (Number.isNaN(value)) throw new Error(`not a number: ${line}`)
  return { name: match[1] as string, labels, value }
}

function belongs(sample: string, { name, type }: ParsedFamily): boolean {
  return sample === name || (type === 'histogram' && [`${name}_bucket`, `${name}_sum`, `${name}_count`].includes(sample))
}

function judge(family: ParsedFamily): void {
  if (family.type === 'counter') {
    if (!family.name.endsWith('_total')) throw new Error(`counter ${family.name} should end in _total`)
    for (const { value } of family.samples) if (!(value >= 0)) throw new Error(`counter ${family.name} is negative`)
  } else if (family.name.endsWith('_total')) throw new Error(`${family.name} is not a counter`)
  if (family.type === 'histogram') judgeHistogram(family)
}

function judgeHistogram(family: ParsedFamily): void {
  const series = new Map<string, ParsedSample[]>()
  for (const sample of family.samples) {
    const { le: _, ...rest } = sample.labels
    const id = JSON.stringify(rest)
    series.set(id, [...(series.get(id) ?? []), sample])
  }
  for (const [id, samples] of series) {
    const buckets = samples.filter((sample) => sample.name.endsWith('_bucket'))
    const count = samples.find((sample) => sample.name.endsWith('_count'))
    const bounds = buckets.map((bucket) => (bucket.labels['le'] === '+Inf' ? Infinity : Number(bucket.labels['le'])))
    const rising = buckets.every((bucket, i) => i === 0 || bucket.value >= (buckets[i - 1] as ParsedSample).value)
    const sorted = bounds.every((bound, i) => i === 0 || bound > (bounds[i - 1] as number))
    if (!rising || !sorted || bounds.at(-1) !== Infinity)
      throw new Error(`buckets of ${family.name}${id} are not cumulative to +Inf`)
    if (count?.value !== buckets.at(-1)?.value) throw new Error(`count of ${family.name}${id} is not its last bucket`)
    if (!samples.some((sample) => sample.name.endsWith('_sum'))) throw new Error(`${family.name}${id} has no sum`)
  }
}
