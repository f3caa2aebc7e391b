/**
 * Which arguments of a command are keys, by its key specifications.
 *
 * Floor 4, room resp. Pure.
 */

interface SpecRow {
  readonly specs: readonly string[]
}

/** @returns undefined where the arguments do not fit */
export function keysOf({ specs }: SpecRow, args: readonly string[]): readonly string[] | undefined {
  const found: string[] = []
  for (const spec of specs) {
    const [, begin = '', finding = ''] = spec.split('/')
    const first = firstOf(begin, args)
    if (first === undefined) continue
    const places = placesOf(finding, first, args)
    if (places === undefined) return undefined
    for (const place of places) found.push(args[place] as string)
  }
  return found
}

function firstOf(begin: string, args: readonly string[]): number | undefined {
  const [type, value = '', from = '0'] = begin.split(' ')
  if (type === 'index') return Number(value)
  if (type !== 'keyword') return undefined
  const isBackward = Number(from) < 0
  const start = isBackward ? args.length + Number(from) : Number(from)
  for (let i = start; i > 0 && i < args.length - 1; i += isBackward ? -1 : 1) {
    if ((args[i] as string).toLowerCase() === value.toLowerCase()) return i + 1
  }
  return undefined
}

function placesOf(finding: string, first: number, args: readonly string[]): readonly number[] | undefined {
  const [type, a = 0, b = 1, c = 1] = finding.split(' ').map((word, i) => (i === 0 ? word : Number(word))) as [
    string,
    number?,
    number?,
    number?,
  ]
  const places: number[] = []
  if (type === 'range') {
    const limited = c > 1 ? first + Math.floor((args.length - first) / c) - 1 : args.length + a
    const last = a >= 0 ? first + a : limited
    for (let i = first; i <= last; i += b) {
      if (i >= args.length) return undefined
      places.push(i)
    }
    return places
  }
  if (type !== 'keynum') return places
  const count = Number(args[first + a])
  if (!Number.isInteger(count) || count < 0) return undefined
  for (let i = 0; i < count; i += 1) {
    const place = first + b + i * c
    if (place >= args.length) return undefined
    places.push(place)
  }
  return places
}
